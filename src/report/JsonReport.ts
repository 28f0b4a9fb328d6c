import type { Json } from "../spec/index.ts"
import type { Statistics } from "../experiment/index.ts"
import * as Findings from "./Findings.ts"
import type { Cell, Difference, Table } from "./Table.ts"
import type { TextTable } from "./TextTable.ts"

/**
 * The whole table as JSON: values by seed, means, intervals, differences and every p-value, unrounded, always in the same
 * order of keys. What does not exist is `null`.
 *
 * @example
 * ```ts
 * import { JsonReport, Table } from "homodistil/report"
 * const text = JsonReport.render(Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "random", cells: { kl: { values: [1.5, 1.6] } } }]
 * }))
 * assert.equal(JSON.parse(text).rows[0].cells.kl.mean, 1.55)
 * ```
 */
export const render = (table: Table): string => `${JSON.stringify(toJson(table), null, 2)}\n`

/** The same as a JSON value. */
export const toJson = (table: Table): Json => ({
  format: "homodistil/table",
  version: 2,
  title: table.title,
  caption: table.caption,
  rowHeader: table.rowHeader,
  level: 0.95,
  seeds: table.seeds,
  columns: table.columns.map(({ id, name, unit, better, digits }) => ({
    id,
    name,
    unit: unit ?? null,
    better,
    digits
  })),
  rows: table.rows.map(({ name, group, baseline, runs, cells }) => ({
    name,
    group,
    baseline,
    runs: runs.map(({ key, href, diverged }) => ({ key, href: href ?? null, diverged: diverged ?? null })),
    cells: Object.fromEntries(table.columns.flatMap(({ id }, c) => pairOf(id, cells[c])))
  })),
  publishedSource: table.publishedSource,
  findings: Findings.of(table),
  notes: table.notes,
  provenance: table.provenance
})

/** A table of texts as JSON, its numbers as they are. */
export const renderText = (table: TextTable): string =>
  `${JSON.stringify(
    {
      format: "homodistil/text-table",
      version: 1,
      title: table.title,
      caption: table.caption,
      rowHeader: table.rowHeader,
      columns: table.columns.map(({ id, name, unit }) => ({ id, name, unit: unit ?? null })),
      rows: table.rows.map(({ name, group, cells }) => ({
        name,
        group: group ?? null,
        cells: Object.fromEntries(table.columns.map(({ id }) => [id, cells[id] ?? null]))
      })),
      notes: table.notes ?? [],
      provenance: table.provenance ?? []
    },
    null,
    2
  )}\n`

const pairOf = (id: string, cell: Cell | undefined): ReadonlyArray<readonly [string, Json]> =>
  cell === undefined ? [] : [[id, cellToJson(cell)]]

const cellToJson = ({ values, missing, summary, difference, best, published }: Cell): Json => ({
  values,
  missing,
  ...summaryToJson(summary),
  best,
  published,
  differenceToBaseline: difference === null ? null : differenceToJson(difference)
})

const differenceToJson = (difference: Difference): Json => ({
  ...summaryToJson(difference),
  pPairedT: difference.pValue,
  pHolm: difference.pHolm,
  pSignFlip: difference.signFlip,
  effectSize: difference.effectSize
})

const summaryToJson = (summary: Statistics.Summary | null) => ({
  count: summary?.count ?? 0,
  mean: summary?.mean ?? null,
  deviation: summary?.deviation ?? null,
  low: summary?.interval?.low ?? null,
  high: summary?.interval?.high ?? null
})
