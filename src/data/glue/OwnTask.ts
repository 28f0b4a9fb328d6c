import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, type ConfigProblem, Digest } from "../../spec/index.ts"
import { columnTexts, missingColumns, type TextColumns } from "./ColumnTexts.ts"
import { columnNames, csvRows, textLines, tsvRows } from "./Rows.ts"
import { type FileText, readTextFile } from "./TextFile.ts"
import { TextFileError, type TextProblem } from "./TextFileError.ts"
import {
  labelsWritten,
  quoted,
  type RawText,
  scoresWritten,
  textSplitOf,
  taskOf,
  type TextLabels,
  type TextMetric,
  type TextSplit
} from "./TextTask.ts"

/** How a file of labelled text is written; the ending of its name says it unless given. */
export type TableFormat = "tsv" | "csv" | "jsonl"

const formats: ReadonlyArray<TableFormat> = ["tsv", "csv", "jsonl"]

/** What a task of one's own is: where its files are, and what their columns mean. */
export interface OwnTaskOptions {
  /** What it is called; `task` unless given. */
  readonly name?: string
  readonly train: string
  /** What is judged on; a tenth of the training texts, by their digests, where there is no file for it. */
  readonly dev?: string
  readonly columns: TextColumns
  /** `classes`, as many as the training file has (the usual), classes in this order, or `score`. */
  readonly labels?: "classes" | "score" | ReadonlyArray<string>
  /** Accuracy of classes, Pearson's and Spearman's correlations of scores unless given. */
  readonly metrics?: ReadonlyArray<TextMetric>
  readonly format?: TableFormat
  /** The share of rows that may be malformed, and are then left out: none unless given. */
  readonly tolerance?: number
}

const JsonRow = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

/** What stands in a field of a JSON object, as text; nothing where it is no text, number or truth value. */
const fieldText = (value: Schema.Json | undefined): string | undefined =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined

// JSON.stringify recurses, so that a row of nothing but brackets can exhaust its stack
const written = (value: Schema.Json | undefined): string =>
  value === undefined
    ? "nothing"
    : Result.getOrElse(
        Result.try(() => JSON.stringify(value)),
        () => "a value nested too deeply"
      )

function* jsonTexts(text: string, { text: first, second, label }: TextColumns): Generator<RawText | TextProblem> {
  for (const [line, json] of textLines(text)) {
    if (json.trim() === "") continue
    const row = JsonRow(json)
    if (Result.isFailure(row)) {
      yield { line, field: "row", value: quoted(json), bound: "a JSON object on a line of its own" }
      continue
    }
    const wanted = [first, label, ...(second === undefined ? [] : [second])]
    const at = (name: string) => (Object.hasOwn(row.success, name) ? row.success[name] : undefined)
    const missing = wanted.find((name) => fieldText(at(name)) === undefined)
    if (missing === undefined) {
      const field = (name: string) => fieldText(at(name)) ?? ""
      yield {
        line,
        first: field(first),
        label: field(label),
        ...(second === undefined ? {} : { second: field(second) })
      }
    } else yield { line, field: missing, value: quoted(written(at(missing))), bound: "text or a number" }
  }
}

/**
 * The texts and labels of a file of one's own: tab-separated (quotation marks are letters), comma-separated (RFC 4180), both with a line of
 * column names, or a JSON object a line. Fails with `TextFileError` where a column is missing.
 *
 * @example
 * ```ts
 * import { ownTexts } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const file = { file: "a.jsonl", text: '{"review": "fine", "stars": 5}\n', digest: "" }
 * const rows = Result.getOrThrow(ownTexts(file, "jsonl", { text: "review", label: "stars" }))
 * assert.deepEqual([...rows], [{ line: 1, first: "fine", label: "5" }])
 * ```
 */
export const ownTexts = (
  { file, text }: FileText,
  format: TableFormat,
  columns: TextColumns
): Result.Result<Iterable<RawText | TextProblem>, TextFileError> => {
  if (format === "jsonl") return Result.succeed(jsonTexts(text, columns))
  const rows = format === "tsv" ? tsvRows(text) : csvRows(text)
  const names = columnNames(rows)
  const problems = missingColumns(1, names, columns)
  return problems.length === 0
    ? Result.succeed(columnTexts(rows, names, columns))
    : Result.fail(new TextFileError({ file, problems, count: problems.length, remedy: "map the columns the file has" }))
}

/** Classes in the order of their numbers: by number where all are, by code point otherwise. */
const ordered = (classes: ReadonlySet<string>): ReadonlyArray<string> =>
  [...classes].every((name) => scoresWritten.of(name) !== undefined)
    ? [...classes].toSorted((a, b) => Number(a) - Number(b))
    : [...classes].toSorted((a, b) => (a < b ? -1 : 1))

const formatOf = (o: OwnTaskOptions, extension: string): TableFormat | undefined =>
  o.format ?? formats.find((format) => extension === `.${format}`)

/** Every setting that is wrong by itself. */
const wrongOf = (o: OwnTaskOptions, format: TableFormat | undefined): ReadonlyArray<ConfigProblem> => {
  const { labels = "classes", metrics = [], tolerance = 0 } = o
  const isScore = labels === "score"
  const ofScores: ReadonlyArray<TextMetric> = ["pearson", "spearman"]
  const misfit = metrics.filter((metric) => ofScores.includes(metric) !== isScore)
  const check = (holds: boolean, problem: ConfigProblem) => (holds ? [] : [problem])
  const given = Array.isArray(labels) ? labels.length : 2
  return [
    ...check(format !== undefined, {
      key: "format",
      value: o.train,
      bound: `a file whose name ends in ${formats.map((each) => `.${each}`).join(", ")}`,
      remedy: "rename the file or say its format"
    }),
    ...check(given >= 2, {
      key: "labels",
      value: String(given),
      bound: "two classes or more",
      remedy: "name all classes"
    }),
    ...check(misfit.length === 0, {
      key: "metrics",
      value: misfit.join(", "),
      bound: isScore ? "metrics of scores: pearson, spearman" : "metrics of classes: accuracy, f1, matthews",
      remedy: "leave the metrics out for the usual ones"
    }),
    ...check(tolerance >= 0 && tolerance < 1, {
      key: "tolerance",
      value: String(tolerance),
      bound: "a share in [0, 1)",
      remedy: "use for example .01"
    })
  ]
}

/** The texts that stay to learn from, and a tenth of them to judge on; copies of a text are on the same side. */
const heldOut = (whole: TextSplit): { readonly train: TextSplit; readonly dev: TextSplit } => {
  const tenth = whole.texts.map(
    ({ first, second = "" }) => Number.parseInt(Digest.ofBytes(`${first}\n${second}`).slice(0, 8), 16) % 10 === 0
  )
  const part = (name: string, held: boolean): TextSplit => ({
    ...whole,
    name,
    texts: whole.texts.filter((_, i) => tenth[i] === held)
  })
  return { train: part("train", false), dev: part("dev", true) }
}

/**
 * Reads a task of one's own.
 *
 * Fails with `ConfigError` where settings are wrong, and with `TextFileError` where a file cannot be read, a column is missing, more rows
 * are malformed than `tolerance` has it (each named by line, field and value), or fewer than two classes are found.
 */
export const readOwnTask = Effect.fn("readOwnTask")(function* (o: OwnTaskOptions) {
  const path = yield* Path.Path
  const { name = "task", columns, labels = "classes", tolerance = 0 } = o
  const format = formatOf(o, path.extname(o.train).toLowerCase())
  const wrong = wrongOf(o, format)
  if (wrong.length > 0 || format === undefined) return yield* new ConfigError({ problems: wrong })
  const texts = Effect.fnUntraced(function* (file: string) {
    const read = yield* readTextFile(file)
    return { ...read, rows: yield* Effect.fromResult(ownTexts(read, format, columns)) }
  })
  const refuse = (file: string, value: string, bound: string, remedy: string) =>
    new TextFileError({ file, problems: [{ line: 0, field: columns.label, value, bound }], count: 1, remedy })
  const trainTexts = yield* texts(o.train)
  const rows = [...trainTexts.rows]
  const found =
    labels === "classes"
      ? ordered(new Set(rows.flatMap((row) => ("bound" in row || row.label.trim() === "" ? [] : [row.label.trim()]))))
      : labels
  const reader = found === "score" ? scoresWritten : labelsWritten(found)
  const split = (name: string, from: Omit<FileText, "text"> & { readonly rows: Iterable<RawText | TextProblem> }) =>
    Effect.fromResult(textSplitOf({ name, file: from.file, digest: from.digest, tolerance }, from.rows, reader))
  const whole = yield* split("train", { ...trainTexts, rows })
  if (found !== "score" && found.length < 2)
    return yield* refuse(o.train, `${found.length} different labels`, "two classes or more", "give more examples")
  if (labels === "classes" && found.length > mostClasses)
    return yield* refuse(
      o.train,
      `${found.length} different labels`,
      `at most ${mostClasses}`,
      "name the classes, or take the labels as scores"
    )
  const { train, dev } =
    o.dev === undefined ? heldOut(whole) : { train: whole, dev: yield* split("dev", yield* texts(o.dev)) }
  if (train.texts.length === 0 || dev.texts.length === 0)
    return yield* refuse(o.train, `${whole.texts.length} rows`, "enough to hold a tenth out", "give a dev file")
  const kind: TextLabels = found === "score" ? { kind: "score" } : { kind: "classes", classes: found }
  const { metrics = kind.kind === "score" ? (["pearson", "spearman"] as const) : (["accuracy"] as const) } = o
  if (metrics.includes("f1") && kind.kind === "classes" && kind.classes.length !== 2)
    return yield* refuse(
      o.train,
      `${kind.classes.length} classes`,
      "two classes for F1",
      "measure accuracy or matthews"
    )
  const pair = columns.second !== undefined
  return taskOf({ name, title: name, pair, labels: kind, metrics, train, dev: [dev] }, { columns: { ...columns } })
})

/** More classes than this are rather scores, or texts. */
const mostClasses = 1000
