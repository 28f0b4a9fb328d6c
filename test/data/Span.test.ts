import { assert, describe, it } from "@effect/vitest"
import { spanText } from "../../src/data/Span.ts"
import type { SpanExamples } from "../../src/data/Span.ts"

const examples: SpanExamples = {
  count: 2,
  length: 4,
  ids: Int32Array.of(2, 5, 6, 3, 2, 7, 8, 3),
  attention: new Float32Array(8).fill(1),
  questions: Int32Array.of(0, 1),
  answers: [["one"], ["four"]],
  starts: Int32Array.of(1, 2),
  ends: Int32Array.of(1, 2),
  allowed: Float32Array.of(0, 1, 1, 0, 0, 1, 1, 0),
  contexts: ["one two", "three four"],
  from: Int32Array.of(0, 0, 4, 0, 0, 0, 6, 0),
  to: Int32Array.of(0, 3, 7, 0, 0, 5, 10, 0)
}

describe("spanText", () => {
  it("is the row's own text between two pieces, both included", () => {
    const text = (row: number, start: number, end: number) => spanText(examples, row, { start, end })
    assert.deepStrictEqual(
      [text(0, 1, 1), text(0, 1, 2), text(1, 1, 1), text(1, 2, 2)],
      ["one", "one two", "three", "four"]
    )
    assert.strictEqual(text(0, 0, 0), "")
  })
})
