import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { documentsOfText } from "../../src/data/TextFiles.ts"
import { type TextFormat, textSplitter } from "../../src/data/TextSplitter.ts"

const text = fc
  .array(fc.constantFrom("a", "b c", " ", "\t", "\n", "\n", "\r\n", "\r", "\uFEFF", "\u2028", "é", "\u{1F600}"), {
    maxLength: 30
  })
  .map((parts) => parts.join(""))

const split = (format: TextFormat, bits: ReadonlyArray<string>): ReadonlyArray<string> => {
  const splitter = textSplitter(format)
  return [...bits.flatMap((bit) => Result.getOrThrow(splitter.push(bit))), ...Result.getOrThrow(splitter.end())]
}

/** A text cut at some of its places. */
const cut = (whole: string, places: ReadonlyArray<number>): ReadonlyArray<string> => {
  const ends = [...places.map((place) => place % (whole.length + 1)), whole.length].sort((a, b) => a - b)
  return ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end))
}

describe("textSplitter", () => {
  it("gives the documents of the whole text, however it is cut", () =>
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.constantFrom("blocks", "files"),
        (whole, places, bounds) => {
          assert.deepEqual(split(bounds, cut(whole, places)), documentsOfText(whole, bounds))
        }
      )
    ))

  it("reads JSON lines, one document each", () =>
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 6 }), (texts, places) => {
        const lines = texts.map((one) => JSON.stringify({ id: 1, text: one })).join("\n")
        const expected = texts.flatMap((one) => {
          const document = one.replaceAll(/\r\n?/g, "\n").trim()
          return document === "" ? [] : [document]
        })
        assert.deepEqual(split("jsonLines", cut(lines, places)), expected)
      })
    ))

  it("names the line that is no JSON with a text", () => {
    for (const bad of ["nothing", '{"txt": "a"}', '{"text": 3}', "[1]"]) {
      const splitter = textSplitter("jsonLines")
      const { line, reason } = Result.getOrThrow(Result.flip(splitter.push(`{"text": "a"}\n\n${bad}\n`)))
      assert.deepEqual([line, reason], [3, 'is no JSON object with a "text"'])
    }
  })

  it("refuses a document without end", () => {
    const splitter = textSplitter("blocks")
    const bit = "x".repeat(2 ** 22)
    const results = Array.from({ length: 18 }, () => splitter.push(bit))
    const [refused] = results.flatMap((result) => (Result.isFailure(result) ? [result.failure] : []))
    assert.match(refused?.reason ?? "", /more than 67108864 characters/)
  })

  it("refuses one of many short lines, or one line without end, wherever it is", () => {
    const bits = {
      blocks: `${"x".repeat(2 ** 16)}\n`.repeat(16),
      files: `\n\n${"x".repeat(2 ** 16)}`.repeat(16),
      jsonLines: `{"text": "${"x".repeat(2 ** 20)}`
    }
    for (const format of ["blocks", "files", "jsonLines"] as const) {
      const splitter = textSplitter(format)
      let sent = 0
      let refused = splitter.push("")
      while (Result.isSuccess(refused)) {
        sent += bits[format].length
        assert.isAtMost(sent, 2 ** 26 + 2 * bits[format].length)
        refused = splitter.push(bits[format])
      }
      assert.match(refused.failure.reason, /more than 67108864 characters/)
      assert.match(refused.failure.remedy, format === "blocks" ? /blank lines/ : /several documents/)
    }
  })
})
