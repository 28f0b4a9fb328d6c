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

/** The run behind a row's values of one seed. */
export interface Run {
  /** The key of its cell in the store. */
  readonly key: string
  /** Where the cell lies, relative to the report. */
  readonly href?: string
  /** Why the run ended early, where it did. */
  readonly diverged?: string
}

/** One method: what was measured of it, by column id. A column left out has no values. */
export interface MeasuredRow {
  readonly name: string
  readonly cells: { readonly [columnId: string]: Measured }
  /** The row that the others of its group are compared with. */
  readonly baseline?: boolean
  /** Whether it is compared with no other row, as the teacher that students are made from. */
  readonly reference?: boolean
  /** Rows of one group stand together and are compared among themselves. */
  readonly group?: string
  /** One a seed, in the order of the table's seeds. */
  readonly runs?: ReadonlyArray<Run>
}

/** Figures from elsewhere: shown in columns of their own, and part of no statistic. */
export interface Published {
  /** Where they were published. */
  readonly source: string
  /** By row (`name`, or `group / name`) and column id. */
  readonly rows: { readonly [row: string]: { readonly [columnId: string]: number } }
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
  readonly published?: Published
  readonly notes?: ReadonlyArray<string>
  /** Where the numbers come from: command, version, digests; one line each. */
  readonly provenance?: ReadonlyArray<string>
}

/** A difference to the baseline row of the group, with its p-value corrected for all rows of the table that are compared (Holm, within the column). */
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
  /** Whether this is the best mean of column and group, and its difference to the baseline survives Holm's correction at .05. */
  readonly best: boolean
  /** What was published of it elsewhere. */
  readonly published: number | null
}

/** One method with the statistics of its cells, in the order of the columns. */
export interface Row {
  readonly name: string
  readonly baseline: boolean
  readonly group: string | null
  /** One a seed, or none where it is not known. */
  readonly runs: ReadonlyArray<Run>
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
  /** Where the published figures come from; `null` without any. */
  readonly publishedSource: string | null
  readonly notes: ReadonlyArray<string>
  readonly provenance: ReadonlyArray<string>
}

/** Below this corrected p-value a difference counts as seen. */
export const significance = 0.05

/**
 * The table of what was measured: 95 % t-intervals over seeds, paired differences to the baseline row of the group with Holm's
 * correction over all comparisons of a column, and the best row of each group where it differs from the baseline.
 *
 * Throws a `RangeError` where the input contradicts itself (two baselines in a group, a group in two places, a cell of an unknown column,
 * a cell with more or fewer values than seeds): a bug of the caller.
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
      group: row.group ?? null,
      runs: row.runs ?? [],
      cells: columns.flatMap((cells) => cells[r] ?? [])
    })),
    publishedSource: input.published?.source ?? null,
    notes: input.notes ?? [],
    provenance: input.provenance ?? []
  }
}

/**
 * The rows that a name of a published figure may mean: `name`, or `group / name` where several groups have a row of that name.
 *
 * @example
 * ```ts
 * import { Table } from "homodistil/report"
 * const rows = [{ name: "PLATON", group: "14M" }, { name: "PLATON", group: "17M" }]
 * assert.equal(Table.rowsNamed(rows, "PLATON").length, 2)
 * assert.deepEqual(Table.rowsNamed(rows, "17M / PLATON"), [{ name: "PLATON", group: "17M" }])
 * ```
 */
export const rowsNamed = <R extends { readonly name: string; readonly group?: string | null }>(
  rows: ReadonlyArray<R>,
  name: string
): ReadonlyArray<R> => rows.filter((row) => row.name === name || `${row.group ?? ""} / ${row.name}` === name)

/** The groups of a table with their rows, in order; one nameless group where rows are not grouped. */
export const groups = ({
  rows
}: Table): ReadonlyArray<{ readonly group: string | null; readonly rows: ReadonlyArray<Row> }> =>
  [...Map.groupBy(rows, ({ group }) => group)].map(([group, members]) => ({ group, rows: members }))

/** The cells of one column, from the first row to the last. */
const cellsOf = (column: Column, { rows, seeds, published }: TableInput): ReadonlyArray<Cell> => {
  const measured = rows.map((row): Measured => row.cells[column.id] ?? { values: seeds.map(() => null) })
  const samples = measured.map(({ values }) =>
    values.flatMap((value, i): ReadonlyArray<Statistics.Sample> => {
      const seed = seeds[i]
      return seed === undefined || value === null || !Number.isFinite(value) ? [] : [{ seed, value }]
    })
  )
  const summaries = samples.map((s) => (s.length === 0 ? null : Statistics.summary(s.map(({ value }) => value))))
  const members = Map.groupBy(
    [...rows.keys()].filter((r) => rows[r]?.reference !== true),
    (r) => rows[r]?.group
  )
  const differences = corrected(
    rows.map(({ group, reference = false }, r) => {
      const baseline = members.get(group)?.find((other) => rows[other]?.baseline === true)
      return reference || baseline === undefined || r === baseline
        ? null
        : Statistics.paired(samples[r] ?? [], samples[baseline] ?? [])
    })
  )
  const best = new Set([...members.values()].map((group) => bestOf(column, group, summaries)))
  const figures = new Map(
    Object.entries(published?.rows ?? {}).flatMap(([name, values]) =>
      rowsNamed(rows, name).map((row) => [row, values[column.id] ?? null] as const)
    )
  )
  return rows.map((row, r) => {
    const difference = differences[r] ?? null
    return {
      values: (measured[r]?.values ?? []).map((value) => (value !== null && Number.isFinite(value) ? value : null)),
      missing: measured[r]?.missing ?? null,
      summary: summaries[r] ?? null,
      difference,
      best: best.has(r) && difference !== null && betterThanBaseline(column, difference),
      published: figures.get(row) ?? null
    }
  })
}

const corrected = (pairs: ReadonlyArray<Statistics.Paired | null>): ReadonlyArray<Difference | null> => {
  const tested = pairs.flatMap((pair, row) => (pair === null || pair.pValue === null ? [] : [{ row, p: pair.pValue }]))
  const holm = Statistics.holm(tested.map(({ p }) => p))
  const byRow = new Map(tested.map(({ row }, i) => [row, holm[i] ?? null]))
  return pairs.map((pair, row) => (pair === null ? null : { ...pair, pHolm: byRow.get(row) ?? null }))
}

/** The row with the best mean among `members`, or -1 where there is no better and worse. */
const bestOf = (
  { better }: Column,
  members: ReadonlyArray<number>,
  summaries: ReadonlyArray<Statistics.Summary | null>
): number => {
  if (better === "none") return -1
  const cost = (summary: Statistics.Summary) => (better === "lower" ? summary.mean : -summary.mean)
  return members.reduce((best, r) => {
    const [held, summary] = [summaries[best] ?? null, summaries[r] ?? null]
    return summary !== null && (held === null || cost(summary) < cost(held)) ? r : best
  }, -1)
}

/**
 * Whether a difference is one to the better that survives correction.
 *
 * @example
 * ```ts
 * import { Table } from "homodistil/report"
 * const column = { id: "kl", name: "KL", better: "lower" as const, digits: 2 }
 * const table = Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0, 1], columns: [column],
 *   rows: [{ name: "a", baseline: true, cells: { kl: { values: [2, 3] } } }, { name: "b", cells: { kl: { values: [1, 2.02] } } }]
 * })
 * const difference = table.rows[1]?.cells[0]?.difference ?? null
 * assert.ok(difference !== null && Table.betterThanBaseline(column, difference))
 * ```
 */
export const betterThanBaseline = ({ better }: Column, { mean, pHolm }: Difference): boolean =>
  pHolm !== null && pHolm < significance && (better === "lower" ? mean < 0 : better === "higher" && mean > 0)

const check = ({ columns, rows, seeds, published }: TableInput): void => {
  const refuse = (what: string) => {
    throw new RangeError(`a table cannot have ${what}`)
  }
  const ids = new Set(columns.map(({ id }) => id))
  if (ids.size < columns.length) refuse("two columns with one id")
  if (new Set(seeds).size < seeds.length) refuse("a seed twice")
  for (const [group, members] of Map.groupBy(rows.keys(), (r) => rows[r]?.group)) {
    const name = group === undefined ? "" : ` in the group ${group}`
    if (members.filter((r) => rows[r]?.baseline === true).length > 1) refuse(`two baseline rows${name}`)
    if ((members.at(-1) ?? 0) - (members[0] ?? 0) >= members.length)
      refuse(`other rows between those of the group ${group}`)
  }
  for (const row of rows) {
    if (row.runs !== undefined && row.runs.length !== seeds.length)
      refuse(`${row.runs.length} runs in row "${row.name}" for ${seeds.length} seeds`)
    for (const [id, { values }] of Object.entries(row.cells)) {
      if (!ids.has(id)) refuse(`a cell of row "${row.name}" in column "${id}": its columns are ${[...ids].join(", ")}`)
      if (values.length !== seeds.length)
        refuse(`${values.length} values in row "${row.name}", column "${id}", for ${seeds.length} seeds`)
    }
  }
  for (const [name, values] of Object.entries(published?.rows ?? {})) {
    if (rowsNamed(rows, name).length !== 1) refuse(`published figures of "${name}", which is not the name of one row`)
    const unknown = Object.keys(values).find((id) => !ids.has(id))
    if (unknown !== undefined) refuse(`a published figure of "${name}" in the unknown column "${unknown}"`)
  }
}
