import { readFileSync } from "node:fs"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import {
  encodeTexts,
  glueNames,
  glueSplit,
  labelsWritten,
  ownTexts,
  textSplitOf,
  type TableFormat
} from "../../../src/data/index.ts"
import { readTextFile } from "../../../src/data/glue/TextFile.ts"
import { jsonChange } from "../../damage.ts"
import { casedFiles, tokenizerOf } from "../tokenizers.ts"

const fixture = (path: string) => readFileSync(new URL(`../fixtures/${path}`, import.meta.url))
const folders = ["CoLA", "SST-2", "MRPC", "QQP", "STS-B", "MNLI", "QNLI", "RTE", "WNLI"]
const glue = folders.map((folder) => fixture(`glue/${folder}/train.tsv`))
const own: ReadonlyArray<readonly [TableFormat, Buffer]> = [
  ["tsv", Buffer.from('review\tother\tstars\nfine " film\tyes\tgood\nno\tno\tbad\n')],
  ["csv", Buffer.from('review,other,stars\n"fine, ""film""",yes,good\nno,"n\no",bad\n')],
  [
    "jsonl",
    Buffer.from('{"review": "fine", "other": 1, "stars": "good"}\n{"review": "no", "other": true, "stars": "bad"}\n')
  ]
]

const nasty = [
  "\t",
  "\n",
  "\r",
  "\r\n",
  '"',
  '""',
  ",",
  "\0",
  "\ufeff",
  "\u2028",
  "{",
  "}",
  "[[[[",
  "1e999",
  "NaN",
  "é",
  "\ud83d\ude00",
  "__proto__"
]

/** What is put in: a text some times over, bytes, what stood there once more, or nothing and the rest is gone. */
type Put = readonly [text: string, times: number] | Uint8Array | "again" | "end"

interface Change {
  /** A share of the bytes. */
  readonly at: number
  readonly length: number
  readonly put: Put
}

const change: fc.Arbitrary<Change> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.nat(20),
  put: fc.oneof<Array<fc.Arbitrary<Put>>>(
    fc.tuple(fc.constantFrom(...nasty), fc.constantFrom(1, 2, 20_000)),
    fc.uint8Array({ maxLength: 8 }),
    fc.constantFrom("again", "end")
  )
})

const changed = (bytes: Uint8Array, { at, length, put }: Change): Uint8Array => {
  const from = Math.floor(at * bytes.length)
  const [before, here, after] = [
    bytes.subarray(0, from),
    bytes.subarray(from, from + length),
    bytes.subarray(from + length)
  ]
  if (put === "end") return before
  const placed =
    put === "again" ? Buffer.concat([here, here]) : put instanceof Uint8Array ? put : Buffer.from(put[0].repeat(put[1]))
  return Buffer.concat([before, placed, after])
}

/** A row of JSON lines with another value, key or depth. */
const rowChange = fc.tuple(fc.nat(), jsonChange(2)).map(([at, change]) => (bytes: Uint8Array) => {
  const rows = new TextDecoder().decode(bytes).split("\n").slice(0, -1)
  return Buffer.from(`${rows.with(at % rows.length, change(rows[at % rows.length] ?? "")).join("\n")}\n`)
})

const tokenizer = tokenizerOf(casedFiles)

/** What a file of these bytes holds, or that it is no text. */
const textOf = (bytes: Uint8Array) =>
  readTextFile("hostile").pipe(
    Effect.provide(FileSystem.layerNoop({ readFile: () => Effect.succeed(bytes) })),
    Effect.result,
    Effect.runSync
  )

/**
 * Reads mutated files of every task and format: each gives a split that is sound and can be encoded, or a typed error that names the file.
 */
export const readHostile = (runs: number): void => {
  const changes = fc.array(change, { maxLength: 6 })
  const any = fc.integer({ min: 0, max: glue.length + own.length - 1 })
  const one = fc.tuple(any, changes, rowChange, fc.boolean()).filter(([, all, , row]) => row || all.length > 0)
  fc.assert(
    fc.property(one, ([which, all, inRow, row]) => {
      const [format, start] = own[which - glue.length] ?? (["tsv", glue[which] ?? new Uint8Array()] as const)
      const begun: Uint8Array = row && format === "jsonl" ? inRow(start) : start
      const bytes = all.reduce<Uint8Array>(changed, begun)
      const name = glueNames[which]
      const columns = { text: "review", second: "other", label: "stars" }
      const read = Result.flatMap(textOf(bytes), (file) =>
        name === undefined
          ? Result.flatMap(ownTexts(file, format, columns), (rows) =>
              textSplitOf({ name: "train", ...file, tolerance: 0.5 }, rows, labelsWritten(["bad", "good"]))
            )
          : glueSplit(name, "train", file)
      )
      if (Result.isFailure(read)) {
        assert.strictEqual(read.failure._tag, "TextFileError")
        assert.match(read.failure.message, /^hostile: \S/)
        assert.isAtMost(read.failure.message.length, 2_000)
        return
      }
      const { texts, leftOut } = read.success
      assert.isAtMost(texts.length + leftOut.count, new TextDecoder().decode(bytes).split(/\r|\n/).length)
      for (const { first, second, label } of texts)
        assert.isTrue(
          first.trim() !== "" && second?.trim() !== "" && Number.isFinite(label) && label >= 0 && label <= 5
        )
      const { offsets, ids } = encodeTexts(tokenizer, "train", texts, 16)
      assert.strictEqual(offsets.at(-1), ids.length)
      assert.isTrue(ids.every((id) => id >= 0 && id < tokenizer.vocabulary.length))
    }),
    { numRuns: runs }
  )
}
