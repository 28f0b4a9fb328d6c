import * as Result from "effect/Result"
import { type Digest, type JsonObject, Spec } from "../../spec/index.ts"
import { TextFileError, type TextProblem } from "./TextFileError.ts"

/** A text, or a pair of texts, with its label: the number of its class, or its score. */
export interface LabelledText {
  readonly first: string
  readonly second?: string
  readonly label: number
}

/** What a task's labels are: one of some classes, by their numbers, or a score. */
export type TextLabels =
  | { readonly kind: "classes"; readonly classes: ReadonlyArray<string> }
  | { readonly kind: "score" }

/** The metrics of GLUE's tasks. */
export type TextMetric = "accuracy" | "f1" | "matthews" | "pearson" | "spearman"

/** A split of a task as its file has it. */
export interface TextSplit {
  /** `train`, `dev`, or what the task calls it. */
  readonly name: string
  readonly file: string
  readonly digest: Digest.Digest
  readonly texts: ReadonlyArray<LabelledText>
  /** What was left out: the first problems, and how many rows. */
  readonly leftOut: { readonly count: number; readonly problems: ReadonlyArray<TextProblem> }
}

/** A task of labelled text: what is learned from, what is judged on, and by which metrics, the first of which matters most. */
export interface TextTask {
  readonly spec: Spec.Spec
  readonly name: string
  /** What tables call it. */
  readonly title: string
  /** Whether its texts are pairs. */
  readonly pair: boolean
  readonly labels: TextLabels
  readonly metrics: ReadonlyArray<TextMetric>
  readonly train: TextSplit
  /** One split to judge on, or several, of which the task's result is the mean. */
  readonly dev: ReadonlyArray<TextSplit>
}

/** A row before its label is understood. */
export interface RawText {
  readonly line: number
  readonly first: string
  readonly second?: string
  readonly label: string
}

/** How labels are written in a file: what each stands for, and what they must be, in words. */
export interface LabelReader {
  readonly of: (label: string) => number | undefined
  readonly bound: string
}

/** So many problems of a file are kept; there may be as many as rows. */
export const mostProblems = 10

/** A value as an error shows it: in quotes, its beginning where it is long. */
export const quoted = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)

/** Scores are written as numbers. */
export const scoresWritten: LabelReader = {
  of: (label) => {
    const score = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(label.trim()) ? Number(label) : Number.NaN
    return Number.isFinite(score) ? score : undefined
  },
  bound: "a number"
}

/**
 * Classes by how a file writes them: the class of a number is that of the label at that place.
 *
 * @example
 * ```ts
 * import { labelsWritten } from "homodistil/data"
 * const labels = labelsWritten(["no", "yes"])
 * assert.deepEqual([labels.of("yes"), labels.of("maybe"), labels.bound], [1, undefined, '"no" or "yes"'])
 * ```
 */
export const labelsWritten = (written: ReadonlyArray<string>): LabelReader => {
  const numbers = new Map(written.map((label, i) => [label, i]))
  const words = written.slice(0, 20).map(quoted)
  const more = written.length > 20 ? [`one of ${written.length - 20} more`] : []
  const bound = written.length === 0 ? "a class" : [...words, ...more].join(" or ")
  return { of: (label) => numbers.get(label.trim()), bound }
}

/** The problem of a row as it stands, or its text. */
const readRow = (row: RawText, labels: LabelReader): Result.Result<LabelledText, TextProblem> => {
  const { line, first, second, label } = row
  const problem = (field: string, value: string, bound: string) =>
    Result.fail({ line, field, value: quoted(value), bound })
  if (first.trim() === "") return problem("first text", first, "some text")
  if (second !== undefined && second.trim() === "") return problem("second text", second, "some text")
  const number = labels.of(label)
  if (number === undefined) return problem("label", label, labels.bound)
  return Result.succeed({ first, ...(second === undefined ? {} : { second }), label: number })
}

/**
 * A split from the rows of a file, those that are malformed left out and named.
 *
 * Fails with `TextFileError` where more than the share `tolerance` of the rows, rounded up, is malformed, or no row is left.
 */
export const textSplitOf = (
  o: { readonly name: string; readonly file: string; readonly digest: Digest.Digest; readonly tolerance: number },
  rows: Iterable<RawText | TextProblem>,
  labels: LabelReader
): Result.Result<TextSplit, TextFileError> => {
  const texts: Array<LabelledText> = []
  const problems: Array<TextProblem> = []
  let count = 0
  for (const row of rows) {
    const read = "bound" in row ? Result.fail(row) : readRow(row, labels)
    if (Result.isSuccess(read)) texts.push(read.success)
    else {
      count++
      if (problems.length < mostProblems) problems.push(read.failure)
    }
  }
  const { name, file, digest, tolerance } = o
  if (count > Math.ceil(tolerance * (texts.length + count)))
    return Result.fail(new TextFileError({ file, problems, count, remedy: "correct these rows or take them out" }))
  if (texts.length === 0) {
    const empty = { line: 0, field: "rows", value: "none", bound: "at least one" }
    return Result.fail(new TextFileError({ file, problems: [empty], count: 1, remedy: "give a file with examples" }))
  }
  return Result.succeed({ name, file, digest, texts, leftOut: { count, problems } })
}

/** The task of these splits; its spec names it by the digests of its files and what its labels are. */
export const taskOf = (parts: Omit<TextTask, "spec">, options: JsonObject = {}): TextTask => {
  const { name, labels, metrics, train, dev } = parts
  const files = Object.fromEntries([train, ...dev].map((split) => [split.name, split.digest]))
  const classes = labels.kind === "classes" ? labels.classes : []
  return { ...parts, spec: Spec.make(name, { options: { files, classes, metrics, ...options } }) }
}
