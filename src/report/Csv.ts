import type { LineFigure } from "./LineFigure.ts"
import type { Table } from "./Table.ts"

/**
 * The values of the table as CSV (RFC 4180), one line for each row, column and seed; nothing is rounded and a missing value is
 * an empty field.
 *
 * @example
 * ```ts
 * import { Csv, Table } from "homodistil/report"
 * const text = Csv.render(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [7],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "random, all axes", cells: { kl: { values: [1.5] } } }]
 * }))
 * assert.equal(text, 'row,column,unit,seed,value\r\n"random, all axes",kl,nats,7,1.5\r\n')
 * ```
 */
export const render = ({ rows, columns, seeds }: Table): string =>
  lines([
    ["row", "column", "unit", "seed", "value"],
    ...rows.flatMap((row) =>
      columns.flatMap((column, c) =>
        seeds.map((seed, s) => {
          const value = row.cells[c]?.values[s] ?? null
          return [row.name, column.id, column.unit ?? "", String(seed), value === null ? "" : String(value)]
        })
      )
    )
  ])

/** The values behind a line figure as CSV, one line for each panel, series, step and sample (in the order of the seeds). */
export const renderFigure = ({ panels }: LineFigure): string =>
  lines([
    ["panel", "series", "step", "sample", "value"],
    ...panels.flatMap(({ title, series }) =>
      series.flatMap(({ name, points }) =>
        points.flatMap(({ step, values }) =>
          values.map((value, sample) => [
            title,
            name,
            String(step),
            String(sample),
            Number.isFinite(value) ? String(value) : ""
          ])
        )
      )
    )
  ])

const lines = (records: ReadonlyArray<ReadonlyArray<string>>): string =>
  records.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("")

const quoted = (field: string): string => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
