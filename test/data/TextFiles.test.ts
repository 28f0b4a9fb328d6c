import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { heldOutBatches, trainingBatches } from "../../src/data/Batches.ts"
import type { Dataset } from "../../src/data/Dataset.ts"
import * as PieceFile from "../../src/data/PieceFile.ts"
import { taskData } from "../../src/data/Task.ts"
import { partOfSpeech } from "../../src/data/task/partOfSpeech.ts"
import { documentsOfText, lacking, loadTextFiles, splitOfText, textDataset } from "../../src/data/TextFiles.ts"
import { ConfigError, Digest, Seed, Spec } from "../../src/spec/index.ts"
import { run, toyDataset, toyTokenizer } from "./brown.ts"

const tasks = toyDataset(Array.from({ length: 20 }, () => 60))
const options = { tokenizer: toyTokenizer, tasks }
const splits = ["train", "validation", "test"] as const

/** Words `w5` … `w99`, in lines. */
const line = fc.array(fc.integer({ min: 5, max: 99 }), { minLength: 1, maxLength: 12 })
const text = fc
  .array(line, { minLength: 1, maxLength: 5 })
  .map((lines) => lines.map((ids) => ids.map((id) => `w${id}`).join(" ")).join("\n"))
const texts = fc.array(text, { maxLength: 30 })

/** Document number n: eighty pieces that no other document has in this order. */
const longText = (n: number): string =>
  Array.from({ length: 80 }, (_, i) => `w${5 + ((n * (i + 1) + i) % 95)}`).join(" ")

const filesOf = (contents: ReadonlyArray<string | Uint8Array>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* fs.makeTempDirectoryScoped()
    return yield* Effect.forEach(contents, (content, i) => {
      const file = path.join(folder, `${i}.txt`)
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
      return Effect.as(fs.writeFile(file, bytes), file)
    })
  })

/** A dataset with its pieces in memory, wherever they lay. */
const inHand = (dataset: Dataset): Dataset => {
  const part = (split: (typeof splits)[number]) =>
    [...dataset.documents[split]].map((document) => ({ ...document, ids: document.ids.subarray() }))
  return { ...dataset, documents: { train: part("train"), validation: part("validation"), test: part("test") } }
}

describe("documents of a text", () => {
  it("are what stands between blank lines", () =>
    fc.assert(
      fc.property(texts, fc.constantFrom("\n\n", "\r\n\r\n", "\n \t\n\n", "\n\n\n\n"), (documents, gap) => {
        const crlf = gap.startsWith("\r")
        const whole = documents.map((one) => (crlf ? one.replaceAll("\n", "\r\n") : one)).join(gap)
        assert.deepStrictEqual(documentsOfText(`\uFEFF${whole}${gap}`, "blocks"), documents)
      })
    ))

  it("are whole files where that is asked for", () => {
    assert.deepStrictEqual(documentsOfText("a\n\nb\n", "files"), ["a\n\nb"])
    assert.deepStrictEqual(documentsOfText(" \n\n", "files"), [])
  })
})

describe("a dataset of texts", () => {
  it("holds every document once, in the split its text decides, as its words' pieces", () =>
    fc.assert(
      fc.property(texts, (documents) => {
        const dataset = textDataset([...documents, ...documents.slice(0, 3)], options)
        for (const split of splits) {
          const expected = [...new Set(documents)].filter((one) => splitOfText(one) === split)
          const wanted = expected.map((one) =>
            one
              .split(/\s/)
              .map((word) => Number(word.slice(1)))
              .join(" ")
          )
          const got = [...dataset.documents[split]].map(({ ids }) => ids.subarray().join(" "))
          assert.deepStrictEqual(got.toSorted(), wanted.toSorted())
          for (const { tags, file } of dataset.documents[split]) {
            assert.strictEqual(tags.length, 0)
            assert.match(file, /^[0-9a-f]{64}$/)
          }
        }
      })
    ))

  it("is the same whatever the order of its documents, and another when one is added", () =>
    fc.assert(
      fc.property(texts, text, (documents, more) => {
        const dataset = textDataset(documents, options)
        assert.deepStrictEqual(textDataset(documents.toReversed(), options), dataset)
        const larger = textDataset([...documents, more], options)
        assert.strictEqual(larger.digest === dataset.digest, documents.includes(more))
        // no document changes its split
        for (const split of splits) {
          const files = new Set([...larger.documents[split]].map(({ file }) => file))
          assert.isTrue([...dataset.documents[split]].every(({ file }) => files.has(file)))
        }
      })
    ))

  it("gives about a tenth of its documents to test and to validation", () => {
    const counts = { train: 0, validation: 0, test: 0 }
    for (let n = 0; n < 5000; n++) counts[splitOfText(`document ${n}`)]++
    // five deviations of a binomial with p = .1
    for (const split of ["validation", "test"] as const) assert.closeTo(counts[split], 500, 5 * Math.sqrt(450))
  })

  it("leaves downstream tasks to the corpus that has labels", () => {
    const dataset = textDataset([longText(1)], options)
    const sample = { train: 4, test: 2, length: 16 }
    assert.deepStrictEqual(taskData(partOfSpeech(), dataset, sample), taskData(partOfSpeech(), tasks, sample))
    const other = { ...tasks, spec: Spec.make("other") }
    assert.notStrictEqual(textDataset([longText(1)], { ...options, tasks: other }).digest, dataset.digest)
  })

  it("says what it lacks, and lacks nothing it can give", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 3, max: 100 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (count, length, validation, test) => {
          const dataset = textDataset(
            Array.from({ length: count }, (_, n) => longText(n)),
            options
          )
          const problems = lacking(dataset, { length, validation, test, heldOutLength: 42 })
          // eighty pieces are two rows of forty
          const rows = (split: (typeof splits)[number]) => 2 * dataset.documents[split].length
          const short = [
            dataset.documents.train.length === 0 || length > 82,
            rows("validation") < validation,
            rows("test") < test
          ]
          assert.strictEqual(problems.length, short.filter(Boolean).length)
          if (short[0] === false)
            assert.strictEqual(
              trainingBatches(dataset, { rows: 2, length }).clean(Seed.make(0), 1).ids.length,
              2 * length
            )
        }
      ),
      { numRuns: 30 }
    ))
})

describe("loadTextFiles", () => {
  const needs = { length: 66, validation: 3, test: 3 }
  const many = Array.from({ length: 100 }, (_, n) => longText(n))

  it("reads files in any order, from the text and from the cache", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const cache = yield* fs.makeTempDirectoryScoped()
        const files = yield* filesOf([many.slice(0, 60).join("\n\n"), many.slice(50).join("\n\n")])
        const load = (o: { readonly files: ReadonlyArray<string>; readonly cache: string | false }) =>
          loadTextFiles({ ...options, ...o, needs })
        const expected = inHand(textDataset(many, options))
        assert.deepStrictEqual(inHand(yield* load({ files, cache })), expected)
        assert.strictEqual((yield* fs.readDirectory(cache)).length, 1)
        assert.deepStrictEqual(inHand(yield* load({ files: files.toReversed(), cache })), expected)
        assert.deepStrictEqual(inHand(yield* load({ files, cache: false })), expected)
        // neither a damaged cache nor one that cannot be written changes anything
        const [name = ""] = yield* fs.readDirectory(cache)
        yield* fs.writeFileString(`${cache}/${name}`, "damaged")
        assert.deepStrictEqual(inHand(yield* load({ files, cache })), expected)
        assert.deepStrictEqual(inHand(yield* load({ files, cache: `${cache}/${name}/in-a-file` })), expected)
        const batches = trainingBatches(yield* load({ files, cache }), { rows: 4, length: 40 })
        const inMemory = trainingBatches(textDataset(many, options), { rows: 4, length: 40 })
        for (const step of [0, 1, 7])
          assert.deepStrictEqual(batches.masked(Seed.make(3), step), inMemory.masked(Seed.make(3), step))
      }).pipe(Effect.scoped)
    ))

  it("gives the batches of a dataset in memory, with room for few documents", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 60, maxLength: 90 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(),
        (numbers, room, seed) =>
          run(
            Effect.gen(function* () {
              const cache = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
              // some twice, some too short for a row, and enough of them in each split
              const list = [...many, ...numbers.flatMap((n) => [longText(n), `w${5 + n}`])]
              const expected = textDataset(list, options)
              const got = yield* loadTextFiles({
                ...options,
                files: yield* filesOf([list.join("\n\n")]),
                needs: { length: 40, validation: 2, test: 1 },
                cache,
                room
              })
              assert.strictEqual(got.digest, expected.digest)
              const [one, other] = [got, expected].map((dataset) => trainingBatches(dataset, { rows: 4, length: 40 }))
              for (const step of [0, 1, 2])
                assert.deepStrictEqual(one?.masked(Seed.make(seed), step), other?.masked(Seed.make(seed), step))
              const held = { split: "validation", count: 2, rows: 1, length: 30 } as const
              assert.deepStrictEqual(heldOutBatches(got, held), heldOutBatches(expected, held))
            }).pipe(Effect.scoped)
          )
      ),
      { numRuns: 10 }
    ))

  it("makes the pieces anew that were written while a file changed", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const cache = yield* fs.makeTempDirectoryScoped()
        const files = yield* filesOf([many.join("\n\n")])
        const load = loadTextFiles({ ...options, files, cache, needs })
        yield* load
        const [name = ""] = yield* fs.readDirectory(cache)
        const other = [{ digest: Digest.ofBytes("other"), ids: [5, 6] }]
        yield* PieceFile.write(`${cache}/${name}`, Stream.fromIterable(other), 100)
        assert.deepStrictEqual(inHand(yield* load), inHand(textDataset(many, options)))
      }).pipe(Effect.scoped)
    ))

  it("names every file it cannot read", () =>
    run(
      Effect.gen(function* () {
        const [good = "", latin = ""] = yield* filesOf([many.join("\n\n"), Uint8Array.of(0x63, 0x61, 0x66, 0xe9)])
        const files = [good, `${good}.gone`, latin]
        const error = yield* Effect.flip(loadTextFiles({ ...options, files, needs, cache: false }))
        assert.instanceOf(error, ConfigError)
        assert.deepStrictEqual(
          error.problems.map(({ key, value }) => [key, value]),
          [
            ["--text", `${good}.gone`],
            ["--text", latin]
          ]
        )
        assert.match(error.problems[1]?.bound ?? "", /UTF-8/)
      }).pipe(Effect.scoped)
    ))

  it("refuses a text that is too small, with what would do", () =>
    run(
      Effect.gen(function* () {
        const files = yield* filesOf([many.join("\n\n")])
        const error = yield* Effect.flip(
          loadTextFiles({ ...options, files, needs: { length: 128, validation: 500, test: 1 }, cache: false })
        )
        assert.match(error.message, /none of 126 pieces: must be text with documents of at least 126 pieces/)
        assert.match(error.message, /validation rows of 64 pieces: must be text for at least 500.*times as much text/)
        assert.strictEqual(error.problems.length, 2)
      }).pipe(Effect.scoped)
    ))
})
