import * as Schema from "effect/Schema"

const Problem = Schema.Struct({ line: Schema.Int, field: Schema.String, value: Schema.String, bound: Schema.String })

/** What is wrong in a file of labelled text: the line (0 for the whole file), the field, what stands there and what must. */
export type TextProblem = typeof Problem.Type

const shown = ({ line, field, value, bound }: TextProblem): string =>
  `${line === 0 ? "" : `line ${line}, `}${field} = ${value}: must be ${bound}`

/**
 * A file of labelled text that cannot be used: its first problems, how many there are, and what to do.
 *
 * @example
 * ```ts
 * import { TextFileError } from "homodistil/data"
 * const problems = [{ line: 7, field: "label", value: "\"maybe\"", bound: "0 or 1" }]
 * const error = new TextFileError({ file: "dev.tsv", problems, count: 3, remedy: "correct the rows" })
 * assert.equal(error.message, "dev.tsv: line 7, label = \"maybe\": must be 0 or 1\n  and 2 more; correct the rows")
 * ```
 */
export class TextFileError extends Schema.TaggedError<TextFileError>()("TextFileError", {
  file: Schema.String,
  problems: Schema.Array(Problem),
  count: Schema.Int,
  remedy: Schema.String
}) {
  override get message(): string {
    const more = this.count - this.problems.length
    const lines = [...this.problems.map(shown), ...(more > 0 ? [`and ${more} more`] : [])]
    return `${this.file}: ${lines.join("\n  ")}; ${this.remedy}`
  }
}
