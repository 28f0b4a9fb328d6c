import * as Numeral from "./Numeral.ts"
import { groups, type Row, type Table } from "./Table.ts"

const several = ({ seeds }: Table): boolean => seeds.length > 1

/** Whether any row is compared with a baseline. */
export const isCompared = ({ rows }: Table): boolean =>
  rows.some((row) => row.cells.some(({ difference }) => difference !== null))

/**
 * How the means of a table are to be read: seeds, intervals, directions and what bold says.
 *
 * @example
 * ```ts
 * import { Legend, Table } from "homodistil/report"
 * const text = Legend.means(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "PLATON", cells: { kl: { values: [1] } } }]
 * }))
 * assert.equal(text, "One seed: no intervals. ↓ lower is better, ↑ higher is better.")
 * ```
 */
export const means = (table: Table): string => {
  const judged = table.columns.some(({ better }) => better !== "none")
  const grouped = groups(table).length > 1
  return sentences([
    several(table)
      ? `Mean ± half-width of the 95 % t-interval over ${table.seeds.length} seeds.`
      : "One seed: no intervals.",
    judged ? "↓ lower is better, ↑ higher is better." : "",
    judged && isCompared(table) && several(table)
      ? `Bold: the best mean${grouped ? " of its group" : ""}, where it differs from the baseline (p < 0.05 after Holm).`
      : "",
    table.publishedSource === null
      ? ""
      : `Columns called published are not measured here and enter no statistic; source: ${table.publishedSource}.`
  ])
}

/** What the differences are taken to. */
export const differences = (table: Table): string => {
  const names = [...new Set(table.rows.filter((row) => row.baseline).map(({ name }) => name))]
  const group = groups(table).length > 1 ? " of the same group" : ""
  return `Paired difference to ${names.join(", ")}${group}, seed by seed:`
}

/** How the p-values were made; empty with one seed, which has none. */
export const tests = (table: Table): string =>
  several(table)
    ? "p: paired t-test, two-sided, Holm-corrected over all rows of a column; uncorrected and exact sign-flip p-values are under Detail."
    : ""

/** The smallest p-value of the exact sign-flip test with the seeds of a table, to two digits. */
export const leastSignFlip = ({ seeds }: Table): string => String(Number((2 / 2 ** seeds.length).toPrecision(2)))

/** What the columns under Detail are. */
export const statistics =
  "SD: sample standard deviation. d_z: Cohen's effect size of paired differences, their mean over their SD; none where they have no " +
  "spread. Sign-flip: exact, two-sided. Holm: the paired t-test's p-value corrected over all rows of a column."

/**
 * What is missing, one line each: runs that ended early with their reasons, then single cells without values.
 *
 * @example
 * ```ts
 * import { Legend, Table } from "homodistil/report"
 * const absent = Legend.absent(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "PLATON", runs: [{ key: "a" }, { key: "b", diverged: "NaN at step 3" }], cells: { kl: { values: [1, null] } } }]
 * }))
 * assert.deepEqual(absent, ["PLATON: 1 of 2 seeds; 1 diverged: seed 1, NaN at step 3."])
 * ```
 */
export const absent = (table: Table): ReadonlyArray<string> =>
  table.rows.flatMap((row) => [
    ...divergedRuns(table, row),
    ...table.columns.flatMap(({ name }, c) => {
      const missing = row.cells[c]?.missing ?? null
      return missing === null ? [] : [`${full(row)}, ${name}: ${missing}`]
    })
  ])

const divergedRuns = ({ seeds }: Table, row: Row): ReadonlyArray<string> => {
  const failed = row.runs.flatMap(({ diverged }, s) =>
    diverged === undefined ? [] : [`seed ${seeds[s] ?? ""}, ${diverged}`]
  )
  const left = seeds.length - failed.length
  return failed.length === 0
    ? []
    : [`${full(row)}: ${left} of ${seeds.length} seeds; ${failed.length} diverged: ${failed.join("; ")}.`]
}

/** The name of a row with its group. */
export const full = ({ name, group }: Row): string => (group === null ? name : `${group}, ${name}`)

/** A difference in words: `0.100 ± 0.024 nats`, without its sign; percentages differ by points. */
export const size = (mean: number, halfWidth: number | null, digits: number, unit: string | undefined): string => {
  const text = Numeral.plusMinus(Numeral.fixed(Math.abs(mean), digits), halfWidth, digits)
  if (unit === undefined) return text
  return `${text} ${unit === "%" ? "points" : unit}` // a difference of percentages is no percentage
}

const sentences = (parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(" ")
