import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { splitSeed } from "../../src/data/Corpus.ts"
import { loadDataset } from "../../src/data/Dataset.ts"
import { real, run, toyTokenizer } from "./brown.ts"

const splits = ["train", "validation", "test"] as const

describe("loadDataset", () => {
  it("gives the same pieces from the text and from the cache", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const { corpus, tokenizer } = yield* real
        const cache = yield* fs.makeTempDirectoryScoped()
        const made = yield* loadDataset({ tokenizer, cache })
        assert.strictEqual((yield* fs.readDirectory(cache)).length, 1)
        const kept = yield* loadDataset({ tokenizer, cache })
        assert.deepStrictEqual(kept, made)
        assert.deepStrictEqual(made.spec.options, { corpus: corpus.digest, split: splitSeed })
        assert.deepStrictEqual(made.spec.parts, [tokenizer.spec])
        const files = splits.map((split) => made.documents[split].map((document) => document.file))
        assert.strictEqual(new Set(files.flat()).size, 500)
        assert.strictEqual(files.flat().length, 500)
        for (const split of splits) {
          assert.strictEqual(new Set(made.documents[split].map((document) => document.genre)).size, 15)
          for (const { ids, tags, sentences } of made.documents[split]) {
            assert.strictEqual(tags.length, ids.length)
            assert.strictEqual(sentences.at(-1), ids.length)
          }
        }
        const unknown = made.documents.train.reduce((sum, { ids }) => sum + ids.filter((id) => id === 1).length, 0)
        assert.strictEqual(unknown, 0)
      }).pipe(Effect.scoped)
    ))

  it("has another digest for another text", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const corpus = yield* fs.makeTempDirectoryScoped()
        const digest = (text: string) =>
          fs.writeFileString(path.join(corpus, "ca01"), text).pipe(
            Effect.andThen(loadDataset({ tokenizer: toyTokenizer, cache: false, corpus })),
            Effect.map((dataset) => dataset.digest)
          )
        const first = yield* digest("w5/nn")
        assert.notStrictEqual(yield* digest("w6/nn"), first)
        assert.strictEqual(yield* digest("w5/nn"), first)
      }).pipe(Effect.scoped)
    ))
})
