import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { brownDirectory, readCorpus, splitSeed } from "../../src/data/Corpus.ts"
import { loadDataset } from "../../src/data/Dataset.ts"
import { loadTokenizer, tokenizerDirectory } from "../../src/data/Tokenizer.ts"
import { run, toyTokenizer } from "./brown.ts"

const splits = ["train", "validation", "test"] as const

describe("loadDataset", () => {
  it("gives the same pieces from the text and from the cache", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
        // three files of each genre are enough, and quicker than all of them
        const brown = yield* brownDirectory
        const corpus = yield* fs.makeTempDirectoryScoped()
        const names = Array.from("abcdefghjklmnpr", (letter) => [1, 2, 3].map((n) => `c${letter}0${n}`)).flat()
        for (const name of names) yield* fs.copyFile(path.join(brown, name), path.join(corpus, name))
        const cache = yield* fs.makeTempDirectoryScoped()
        const made = yield* loadDataset({ tokenizer, cache, corpus })
        assert.strictEqual((yield* fs.readDirectory(cache)).length, 1)
        const kept = yield* loadDataset({ tokenizer, cache, corpus })
        assert.deepStrictEqual(kept, made)
        assert.deepStrictEqual(made.spec.options, { corpus: (yield* readCorpus(corpus)).digest, split: splitSeed })
        assert.deepStrictEqual(made.spec.parts, [tokenizer.spec])
        const files = splits.flatMap((split) => [...made.documents[split]].map((document) => document.file))
        assert.deepStrictEqual([...files].sort(), names)
        for (const split of splits) {
          assert.strictEqual(new Set([...made.documents[split]].map((document) => document.genre)).size, 15)
          for (const { ids, tags, sentences } of made.documents[split]) {
            assert.strictEqual(tags.length, ids.length)
            assert.strictEqual(sentences.at(-1), ids.length)
          }
        }
        const unknown = [...made.documents.train].reduce(
          (sum, { ids }) => sum + ids.subarray().filter((id) => id === 1).length,
          0
        )
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
