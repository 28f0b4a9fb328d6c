import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, type ConfigProblem, Options } from "../spec/index.ts"
import { type Published, rowsNamed } from "./Table.ts"

const Figures = Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Finite))

/**
 * A file of published figures: for each experiment by name, where they were published, and the figures by row and column id.
 *
 * A row is called as the table calls it, or `group / row` where several groups have a row of that name.
 */
export const PublishedFile = Schema.Record(
  Schema.String,
  Schema.Struct({ source: Schema.NonEmptyString, rows: Figures })
)

/** What such a file holds. */
export type PublishedFile = { readonly [experiment: string]: Published }

const refused = (problem: ConfigProblem) => Result.fail(new ConfigError({ problems: [problem] }))

const remedy = 'write {"table6": {"source": "...", "rows": {"PLATON": {"heldOut.discrepancy": 1.5}}}}'

/**
 * The figures in the text of a file, which is called `file` in errors; `ConfigError` with every problem at once.
 *
 * @example
 * ```ts
 * import { Published } from "homodistil/report"
 * import * as Result from "effect/Result"
 * const file = Result.getOrThrow(Published.parse("mine.json", '{"table6": {"source": "me", "rows": {"PLATON": {"kl": 1.5}}}}'))
 * assert.equal(file["table6"]?.rows["PLATON"]?.["kl"], 1.5)
 * const wrong = Published.parse("mine.json", '{"table6": {"source": "me", "rows": {"PLATON": {"kl": "low"}}}}')
 * assert.match(Result.getFailure(wrong).toString(), /mine\.json\.table6\.rows\.PLATON\.kl = .*low/)
 * ```
 */
export const parse = (file: string, text: string): Result.Result<PublishedFile, ConfigError> => {
  const json = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))(text)
  if (Result.isFailure(json)) return refused({ key: "--published", value: file, bound: "a file of JSON", remedy })
  return Result.mapError(
    Options.decodeResult(file, PublishedFile, json.success),
    ({ problems }) => new ConfigError({ problems: problems.map((problem) => ({ ...problem, remedy })) })
  )
}

/** Reads such a file; fails with `ConfigError` where it is unreadable or not in that form. */
export const read = (path: string): Effect.Effect<PublishedFile, ConfigError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(path).pipe(
      Effect.mapError(
        () =>
          new ConfigError({
            problems: [{ key: "--published", value: path, bound: "a file that can be read", remedy: "check its name" }]
          })
      )
    )
    return yield* Effect.fromResult(parse(path, text))
  })

/** An experiment as published figures are checked against it: the rows and columns of its table. */
export interface Shown {
  readonly name: string
  readonly rows: ReadonlyArray<{ readonly name: string; readonly group?: string | null }>
  readonly columns: ReadonlyArray<{ readonly id: string }>
}

/**
 * What in a file belongs to no experiment, row or column: to be asked before anything is run. Experiments that are `known` by name but
 * not shown are not looked into.
 *
 * @example
 * ```ts
 * import { Published } from "homodistil/report"
 * const file = { table6: { source: "me", rows: { PLATO: { kl: 1.5 } } } }
 * const problems = Published.check(file, [{ name: "table6", rows: [{ name: "PLATON" }], columns: [{ id: "kl" }] }])
 * assert.deepEqual(problems.map(({ value, bound }) => [value, bound]), [["PLATO", "a row of table6: PLATON"]])
 * ```
 */
export const check = (
  file: PublishedFile,
  shown: ReadonlyArray<Shown>,
  known: ReadonlyArray<string> = shown.map(({ name }) => name)
): ReadonlyArray<ConfigProblem> =>
  Object.entries(file).flatMap(([name, { rows }]) => {
    const experiment = shown.find((each) => each.name === name)
    if (experiment !== undefined)
      return Object.entries(rows).flatMap(([row, figures]) => problemsOf(experiment, row, figures))
    return known.includes(name)
      ? []
      : [
          {
            key: "published",
            value: name,
            bound: `an experiment: ${known.join(", ")}`,
            remedy: "name one of them, or take it out"
          }
        ]
  })

const problemsOf = (
  { name, rows, columns }: Shown,
  row: string,
  figures: { readonly [columnId: string]: number }
): ReadonlyArray<ConfigProblem> => {
  const found = rowsNamed(rows, row)
  const names = rows.map((each) => `${(each.group ?? "") === "" ? "" : `${each.group ?? ""} / `}${each.name}`)
  const ids = columns.map(({ id }) => id)
  return [
    ...(found.length === 1
      ? []
      : [
          {
            key: `published.${name}`,
            value: row,
            bound: `${found.length === 0 ? "a" : "only one"} row of ${name}: ${names.join(", ")}`,
            remedy: "call the row as the table does"
          }
        ]),
    ...Object.keys(figures)
      .filter((id) => !ids.includes(id))
      .map((id) => ({
        key: `published.${name}.${row}`,
        value: id,
        bound: `a column of ${name}: ${ids.join(", ")}`,
        remedy: "use the id of a column that is shown"
      }))
  ]
}
