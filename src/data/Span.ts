import type { ExampleRows, ExampleSource } from "./Task.ts"

/**
 * Rows in which a stretch of text is to be found.
 *
 * A question may be asked in several rows (windows of a long context): `questions` [count] is the question of each row, and
 * `answers` the right texts of each question, none where it has no answer. `starts` and `ends` [count] are the columns of the
 * answer's first and last piece, both 0 where the row does not hold it. `allowed` [count * length] is 1 where an answer may
 * begin or end; column 0 stands for no answer. `contexts` [count] is the text each row's answer is a part of, and a piece
 * covers its characters `from` … `to` [count * length] (both 0 outside the context).
 */
export interface SpanExamples extends ExampleRows {
  readonly questions: Int32Array
  readonly answers: ReadonlyArray<ReadonlyArray<string>>
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly allowed: Float32Array
  readonly contexts: ReadonlyArray<string>
  readonly from: Int32Array
  readonly to: Int32Array
}

/**
 * Finding a stretch of text: SQuAD, or a task made from the corpus.
 *
 * `unanswerable` says whether a question may have no answer (SQuAD 2).
 */
export interface SpanTask extends ExampleSource<SpanExamples> {
  readonly kind: "span"
  readonly unanswerable: boolean
}

/** A piece at a column of a row. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The text between two pieces of a row, both included. */
export const spanText = (examples: SpanExamples, row: number, { start, end }: Span): string => {
  const first = row * examples.length
  return (examples.contexts[row] ?? "").slice(examples.from[first + start] ?? 0, examples.to[first + end] ?? 0)
}
