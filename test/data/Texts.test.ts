import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as fc from "fast-check"
import { trainingBatches } from "../../src/data/Batches.ts"
import { brownDirectory } from "../../src/data/Corpus.ts"
import { loadDataset } from "../../src/data/Dataset.ts"
import { textDataset } from "../../src/data/TextFiles.ts"
import { loadTexts, together } from "../../src/data/Texts.ts"
import { loadTokenizer, tokenizerDirectory } from "../../src/data/Tokenizer.ts"
import { Seed } from "../../src/spec/index.ts"
import { run, toyDataset, toyTokenizer } from "./brown.ts"

const splits = ["train", "validation", "test"] as const

const words = fc
  .array(fc.integer({ min: 5, max: 99 }), { minLength: 20, maxLength: 60 })
  .map((ids) => ids.map((id) => `w${id}`).join(" "))

describe("two texts together", () => {
  it("are the documents of both, in the splits that each has alone, one after another", () =>
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 3, maxLength: 30 }),
        fc.array(words, { maxLength: 20 }),
        (sizes, texts) => {
          const first = toyDataset(sizes)
          const second = textDataset(texts, { tokenizer: toyTokenizer, tasks: first })
          const both = together(first, second)
          for (const split of splits) {
            const all = [...first.documents[split], ...second.documents[split]]
            assert.deepStrictEqual([...both.documents[split]], all)
            assert.strictEqual(both.documents[split].length, all.length)
            for (const index of [...all.keys(), all.length])
              assert.deepStrictEqual(both.documents[split].at(index), all[index])
          }
          assert.strictEqual(both.tasks, first)
          assert.strictEqual(new Set([first, second, both].map(({ digest }) => digest)).size, 3)
        }
      )
    ))

  it("are trained on by the share of the pieces that each has", () => {
    const first = toyDataset(Array.from({ length: 10 }, () => 100))
    // what it says has odd ids only, so that it is known in a batch
    const odd = Array.from({ length: 40 }, (_, n) =>
      Array.from({ length: 60 }, (__, i) => `w${7 + 2 * ((n + i) % 46)}`)
    )
    const second = textDataset(
      odd.map((each) => each.join(" ")),
      { tokenizer: toyTokenizer, tasks: first }
    )
    const options = { rows: 200, length: 22, maskRate: 0.15 }
    const { ids } = trainingBatches(together(first, second), options).clean(Seed.make(1), 0)
    const rows = Array.from({ length: 200 }, (_, row) => [...ids.subarray(22 * row + 1, 22 * row + 21)])
    const ofSecond = rows.filter((row) => row.every((id) => id % 2 === 1)).length
    const windows = (dataset: typeof first) =>
      [...dataset.documents.train].reduce((sum, document) => sum + Math.max(0, document.ids.length - 19), 0)
    const share = windows(second) / (windows(first) + windows(second))
    assert.closeTo(ofSecond / 200, share, 0.15)
  })
})

describe("loadTexts", () => {
  it("takes brown for the corpus, alone or beside files", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
        const [brown, corpus, folder] = [
          yield* brownDirectory,
          yield* fs.makeTempDirectoryScoped(),
          yield* fs.makeTempDirectoryScoped()
        ]
        for (const name of ["ca01", "ca02", "ca03", "cb01"])
          yield* fs.copyFile(path.join(brown, name), path.join(corpus, name))
        const file = path.join(folder, "tasks.txt")
        const documents = Array.from({ length: 12 }, (_, n) =>
          `The ${n} jury said on Friday that it was so. `.repeat(9)
        )
        yield* fs.writeFileString(file, documents.join("\n\n"))
        const needs = { length: 32, validation: 0, test: 0 }
        const load = (...names: ReadonlyArray<string>) => loadTexts({ names, tokenizer, needs, corpus, cache: false })
        const alone = yield* loadDataset({ tokenizer, corpus, cache: false })
        const [none, named, own, both] = [
          yield* load(),
          yield* load("brown"),
          yield* load(file),
          yield* load(file, "brown")
        ]
        assert.deepStrictEqual([none.digest, named.digest], [alone.digest, alone.digest])
        assert.strictEqual(both.digest, together(alone, own).digest)
        const counts = (dataset: typeof alone) => splits.map((split) => dataset.documents[split].length)
        assert.deepStrictEqual(
          counts(both),
          counts(alone).map((count, i) => count + (counts(own)[i] ?? 0))
        )
        assert.strictEqual(own.tasks?.digest, alone.digest)
        assert.strictEqual(both.tasks?.digest, alone.digest)
      }).pipe(Effect.scoped)
    ))

  it("names a text that is not there", () =>
    run(
      Effect.gen(function* () {
        const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
        const needs = { length: 32, validation: 0, test: 0 }
        const error = yield* Effect.flip(loadTexts({ names: ["brown", "no/such"], tokenizer, needs, cache: false }))
        assert.match(error.message, /--text = no\/such: must be a readable file/)
      })
    ))
})
