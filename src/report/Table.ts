import type { Measure } from "../evaluate/index.ts"
import { Statistics } from "../experiment/index.ts"

/** One number of a measure: a column of a table. */
export type Column = Measure.Column

/** What was measured in one cell, one value a seed in the order of the table's seeds. */
export interface Measured {
  /** `null`, `NaN` and infinities stand for a run that gave no value. */
  readonly values: ReadonlyArray<number | null>
  /** Why values are missing, for the reader. */
  readonly missing?: string
}

/** One method: what was measured of it, by column id. A column left out has no values. */
export interface MeasuredRow {
  readonly name: string
  readonly cells: { readonly [columnId: string]: Measured }
  /** The row that the others are compared with. */
  readonly baseline?: boolean
}

/** Everything a table is made of; the statistics follow from it. */
export interface TableInput {
  readonly title: string
  readonly caption: string
  /** Heading of the first column, e.g. `Importance score`. */
  readonly rowHeader: string
  readonly columns: ReadonlyArray<Column>
  readonly seeds: ReadonlyArray<number>
  readonly rows: ReadonlyArray<MeasuredRow>
  readonly notes?: ReadonlyArray<string>
  /** Where the numbers come from: command, version, digests; one line each. */
  readonly provenance?: ReadonlyArray<string>
}

/** A difference to the baseline row, with its p-value corrected for the number of rows compared (Holm, within the column). */
export interface Difference extends Statistics.Paired {
  readonly pHolm: number | null
}

/** A measured cell with its statistics. */
export interface Cell {
  readonly values: ReadonlyArray<number | null>
  readonly missing: string | null
  /** `null` without any value. */
  readonly summary: Statistics.Summary | null
  /** Paired by seed; `null` in the baseline row, without a baseline, and without common seeds. */
  readonly difference: Difference | null
  /** Whether this is the column's best mean and its difference to the baseline survives Holm's correction at .05. */
  readonly best: boolean
}

/** One method with the statistics of its cells, in the order of the columns. */
export interface Row {
  readonly name: string
  readonly baseline: boolean
  readonly cells: ReadonlyArray<Cell>
}

/** A table with its statistics: what every renderer reads. */
export interface Table {
  readonly title: string
  readonly caption: string
  readonly rowHeader: string
  readonly columns: ReadonlyArray<Column>
  readonly seeds: ReadonlyArray<number>
  readonly rows: ReadonlyArray<Row>
  readonly notes: ReadonlyArray<string>
  readonly provenance: ReadonlyArray<string>
}

/** Below this corrected p-value a difference counts as seen. */
export const significance = 0.05

/**
 * The table of what was measured: 95 % t-intervals over seeds, paired differences to the baseline row with Holm's correction
 * within each column, and the best row where it differs from the baseline.
 *
 * Throws a `RangeError` where the input contradicts itself (two baselines, a cell of an unknown column, a cell with more or
 * fewer values than seeds): a bug of the caller.
 *
 * @example
 * ```ts
 * import { Table } from "homodistil/report"
 * const table = Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0, 1, 2],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 3 }],
 *   rows: [
 *     { name: "magnitude", baseline: true, cells: { kl: { values: [1.572, 1.561, 1.583] } } },
 *     { name: "sensitivity", cells: { kl: { values: [1.47, 1.466, 1.48] } } }
 *   ]
 * })
 * assert.deepEqual(table.rows.map((row) => row.cells[0]?.best), [false, true])
 * ```
 */
export const make = (input: TableInput): Table => {
  check(input)
  const columns = input.columns.map((column) => cellsOf(column, input))
  return {
    title: input.title,
    caption: input.caption,
    rowHeader: input.rowHeader,
    columns: input.columns,
    seeds: input.seeds,
    rows: input.rows.map((row, r) => ({
      name: row.name,
      baseline: row.baseline === true,
      cells: columns.flatMap((cells) => cells[r] ?? [])
    })),
    notes: input.notes ?? [],
    provenance: input.provenance ?? []
  }
}

/** The cells of one column, from the first row to the last. */
const cellsOf = (column: Column, { rows, seeds }: TableInput): ReadonlyArray<Cell> => {
  const measured = rows.map((row): Measured => row.cells[column.id] ?? { values: seeds.map(() => null) })
  const samples = measured.map(({ values }) =>
    values.flatMap((value, i): ReadonlyArray<Statistics.Sample> => {
      const seed = seeds[i]
      return seed === undefined || value === null || !Number.isFinite(value) ? [] : [{ seed, value }]
    })
  )
  const summaries = samples.map((s) => (s.length === 0 ? null : Statistics.summary(s.map(({ value }) => value))))
  const baseline = rows.findIndex((row) => row.baseline === true)
  const differences = corrected(
    samples.map((s, r) => (baseline < 0 || r === baseline ? null : Statistics.paired(s, samples[baseline] ?? [])))
  )
  const best = bestOf(column, summaries)
  return measured.map(({ values, missing }, r) => {
    const difference = differences[r] ?? null
    return {
      values: values.map((value) => (value !== null && Number.isFinite(value) ? value : null)),
      missing: missing ?? null,
      summary: summaries[r] ?? null,
      difference,
      best: r === best && difference !== null && betterThanBaseline(column, difference)
    }
  })
}

const corrected = (pairs: ReadonlyArray<Statistics.Paired | null>): ReadonlyArray<Difference | null> => {
  const tested = pairs.flatMap((pair, row) => (pair === null || pair.pValue === null ? [] : [{ row, p: pair.pValue }]))
  const holm = Statistics.holm(tested.map(({ p }) => p))
  const byRow = new Map(tested.map(({ row }, i) => [row, holm[i] ?? null]))
  return pairs.map((pair, row) => (pair === null ? null : { ...pair, pHolm: byRow.get(row) ?? null }))
}

/** The row with the best mean, or -1 where there is no better and worse. */
const bestOf = ({ better }: Column, summaries: ReadonlyArray<Statistics.Summary | null>): number => {
  if (better === "none") return -1
  const cost = (summary: Statistics.Summary) => (better === "lower" ? summary.mean : -summary.mean)
  return summaries.reduce((best, summary, r) => {
    const held = summaries[best]
    return summary !== null && (held === null || held === undefined || cost(summary) < cost(held)) ? r : best
  }, -1)
}

const betterThanBaseline = ({ better }: Column, { mean, pHolm }: Difference): boolean =>
  pHolm !== null && pHolm < significance && (better === "lower" ? mean < 0 : mean > 0)

const check = ({ columns, rows, seeds }: TableInput): void => {
  const refuse = (what: string) => {
    throw new RangeError(`a table cannot have ${what}`)
  }
  const ids = new Set(columns.map(({ id }) => id))
  if (ids.size < columns.length) refuse("two columns with one id")
  if (new Set(seeds).size < seeds.length) refuse("a seed twice")
  if (rows.filter((row) => row.baseline === true).length > 1) refuse("two baseline rows")
  for (const row of rows) {
    for (const [id, { values }] of Object.entries(row.cells)) {
      if (!ids.has(id)) refuse(`a cell of row "${row.name}" in column "${id}": its columns are ${[...ids].join(", ")}`)
      if (values.length !== seeds.length)
        refuse(`${values.length} values in row "${row.name}", column "${id}", for ${seeds.length} seeds`)
    }
  }
}
