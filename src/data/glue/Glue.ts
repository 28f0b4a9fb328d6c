import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { columnTexts, missingColumns, type TextColumns } from "./ColumnTexts.ts"
import { columnNames, tsvRows } from "./Rows.ts"
import { type FileText, readTextFile } from "./TextFile.ts"
import { TextFileError } from "./TextFileError.ts"
import {
  type LabelReader,
  labelsWritten,
  scoresWritten,
  textSplitOf,
  taskOf,
  type TextLabels,
  type TextMetric,
  type TextSplit,
  type TextTask
} from "./TextTask.ts"

/** How one of GLUE's tasks lies in its files. */
interface GlueLayout {
  /** The name of its folder, and of the task in GLUE's tables. */
  readonly folder: string
  readonly columns: TextColumns
  /** The names of the columns where the file has no line for them. */
  readonly unnamed?: ReadonlyArray<string>
  /** The classes by name, in the order of their numbers; none for scores. */
  readonly classes?: ReadonlyArray<string>
  /** How the file writes the classes: as their names unless given. */
  readonly written?: ReadonlyArray<string>
  readonly metrics: ReadonlyArray<TextMetric>
  /** The files to judge on, without their ending: `dev` unless given. */
  readonly dev?: ReadonlyArray<string>
}

const binary = ["0", "1"]
const entailed = ["entailment", "not_entailment"]
const sentences = { text: "sentence1", second: "sentence2", label: "label" }

const layouts = {
  cola: {
    folder: "CoLA",
    columns: { text: "sentence", label: "label" },
    unnamed: ["source", "label", "mark", "sentence"],
    classes: ["unacceptable", "acceptable"],
    written: binary,
    metrics: ["matthews"]
  },
  sst2: {
    folder: "SST-2",
    columns: { text: "sentence", label: "label" },
    classes: ["negative", "positive"],
    written: binary,
    metrics: ["accuracy"]
  },
  mrpc: {
    folder: "MRPC",
    columns: { text: "#1 String", second: "#2 String", label: "Quality" },
    classes: ["not_equivalent", "equivalent"],
    written: binary,
    metrics: ["f1", "accuracy"]
  },
  qqp: {
    folder: "QQP",
    columns: { text: "question1", second: "question2", label: "is_duplicate" },
    classes: ["not_duplicate", "duplicate"],
    written: binary,
    metrics: ["f1", "accuracy"]
  },
  stsb: {
    folder: "STS-B",
    columns: { ...sentences, label: "score" },
    metrics: ["pearson", "spearman"]
  },
  mnli: {
    folder: "MNLI",
    columns: { ...sentences, label: "gold_label" },
    classes: ["entailment", "neutral", "contradiction"],
    metrics: ["accuracy"],
    dev: ["dev_matched", "dev_mismatched"]
  },
  qnli: {
    folder: "QNLI",
    columns: { text: "question", second: "sentence", label: "label" },
    classes: entailed,
    metrics: ["accuracy"]
  },
  rte: { folder: "RTE", columns: sentences, classes: entailed, metrics: ["accuracy"] },
  wnli: {
    folder: "WNLI",
    columns: sentences,
    classes: ["not_entailment", "entailment"],
    written: binary,
    metrics: ["accuracy"]
  }
} as const satisfies { readonly [name: string]: GlueLayout }

/** A task of GLUE, by its short name. */
export type GlueName = keyof typeof layouts

/** The nine tasks of GLUE (Wang et al. 2019), by their short names. */
export const glueNames: ReadonlyArray<GlueName> = ["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]

/** Whether a word is the short name of a task of GLUE. */
export const isGlueName = (name: string): name is GlueName => glueNames.some((each) => each === name)

/** The share of a file's rows that may be malformed: some official files have a few, of QQP above all. */
const tolerance = 0.01

const layoutOf = (name: GlueName): GlueLayout => layouts[name]

const labelsOf = ({ classes }: GlueLayout): TextLabels =>
  classes === undefined ? { kind: "score" } : { kind: "classes", classes }

const readerOf = ({ classes, written = classes }: GlueLayout): LabelReader =>
  written === undefined
    ? { of: (label) => within(scoresWritten.of(label)), bound: "a number in [0, 5]" }
    : labelsWritten(written)

const within = (score: number | undefined): number | undefined =>
  score !== undefined && score >= 0 && score <= 5 ? score : undefined

/**
 * A split of one of GLUE's tasks from the text of its official file.
 *
 * Quotation marks are letters, a byte-order mark is no part of the first column, CoLA has no line of column names. Rows that are broken
 * (QQP has some) are left out and named. Fails with `TextFileError` where a column is missing, more than one row in a hundred is broken,
 * or there is none.
 *
 * @example
 * ```ts
 * import { glueSplit } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const file = { file: "dev.tsv", text: "sentence\tlabel\na fine film\t1\n", digest: "" }
 * const { texts } = Result.getOrThrow(glueSplit("sst2", "dev", file))
 * assert.deepEqual(texts, [{ first: "a fine film", label: 1 }])
 * ```
 */
export const glueSplit = (
  task: GlueName,
  name: string,
  { file, text, digest }: FileText
): Result.Result<TextSplit, TextFileError> => {
  const layout = layoutOf(task)
  const rows = tsvRows(text)
  const names = layout.unnamed ?? columnNames(rows)
  const problems = missingColumns(1, names, layout.columns)
  if (problems.length > 0) {
    const remedy = `give the official file of ${layout.folder}`
    return Result.fail(new TextFileError({ file, problems, count: problems.length, remedy }))
  }
  return textSplitOf({ name, file, digest, tolerance }, columnTexts(rows, names, layout.columns), readerOf(layout))
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")

const refuse = (directory: string, value: string, bound: string) =>
  new TextFileError({
    file: directory,
    problems: [{ line: 0, field: "folder", value, bound }],
    count: 1,
    remedy: "give the folder that GLUE was unpacked in"
  })

const namesIn = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs
    .readDirectory(directory)
    .pipe(Effect.mapError(() => refuse(directory, "nothing", "a readable folder")))
})

/** The folder of a task, however its name is written: `SST-2`, `sst-2`, `sst2`; that of the official name first. */
const folderAmong = (names: ReadonlyArray<string>, folder: string): string | undefined => {
  const fitting = names.filter((name) => plain(name) === plain(folder)).toSorted()
  return fitting.includes(folder) ? folder : fitting[0]
}

const folderOf = Effect.fnUntraced(function* (directory: string, folder: string) {
  const path = yield* Path.Path
  const found = folderAmong(yield* namesIn(directory), folder)
  return found === undefined
    ? yield* refuse(directory, "none", `a folder with ${folder} in it`)
    : path.join(directory, found)
})

/** The tasks whose folders lie in the one that GLUE was unpacked in. Fails with `TextFileError` where it cannot be read. */
export const glueFolders = Effect.fn("glueFolders")(function* (directory: string) {
  const names = yield* namesIn(directory)
  return glueNames.filter((task) => folderAmong(names, layoutOf(task).folder) !== undefined)
})

/**
 * Reads a task of GLUE from the folder that the official files were unpacked in: `SST-2/train.tsv`, `SST-2/dev.tsv` and so on; MNLI
 * is judged on its matched and on its mismatched part.
 *
 * Fails with `TextFileError` where a folder or file is missing, or is not what `glueSplit` takes.
 */
export const readGlue = Effect.fn("readGlue")(function* (name: GlueName, directory: string) {
  const path = yield* Path.Path
  const layout = layoutOf(name)
  const folder = yield* folderOf(directory, layout.folder)
  const read = Effect.fnUntraced(function* (split: string) {
    return yield* Effect.fromResult(glueSplit(name, split, yield* readTextFile(path.join(folder, `${split}.tsv`))))
  })
  const train = yield* read("train")
  const dev = yield* Effect.forEach(layout.dev ?? ["dev"], read)
  const task: TextTask = taskOf({
    name,
    title: layout.folder,
    pair: layout.columns.second !== undefined,
    labels: labelsOf(layout),
    metrics: layout.metrics,
    train,
    dev
  })
  return task
})
