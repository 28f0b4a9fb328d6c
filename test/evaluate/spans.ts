import type { SpanExamples, SpanTask } from "../../src/data/index.ts"
import { Spec } from "../../src/spec/index.ts"
import { rowsOf } from "./tiny.ts"

/** Span examples of rows whose first piece is [CLS]: the answer is the piece of the highest number; a piece's text is its number. */
export const spansOf = (rows: ReadonlyArray<ReadonlyArray<number>>, length = 6): SpanExamples => {
  const { count, ids, attention } = rowsOf(rows, () => 0, length)
  const from = new Int32Array(count * length)
  const to = new Int32Array(count * length)
  const allowed = attention.map((x, i) => (i % length === 0 ? 0 : x))
  const answer = Int32Array.from(rows, (row) => row.indexOf(Math.max(...row.slice(1))))
  const contexts = rows.map((row, n) => {
    let text = ""
    row.slice(1).forEach((id, i) => {
      from[n * length + i + 1] = text.length
      text += String(id)
      to[n * length + i + 1] = text.length
      text += " "
    })
    return text
  })
  return {
    count,
    length,
    ids,
    attention,
    questions: Int32Array.from(rows.keys()),
    answers: rows.map((row, n) => [String(row[answer[n] ?? 0])]),
    starts: answer,
    ends: answer,
    allowed,
    contexts,
    from,
    to
  }
}

/** A span task that no corpus is needed for: its examples are given where it is run. */
export const spanTask = (unanswerable = false): SpanTask => ({
  spec: Spec.make("toySpan"),
  kind: "span",
  unanswerable,
  examples: () => spansOf([])
})
