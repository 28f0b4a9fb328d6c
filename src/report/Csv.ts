import type { LineFigure } from "./LineFigure.ts"
import type { Table } from "./Table.ts"
import type { TextTable } from "./TextTable.ts"

/**
 * The values of the table as CSV (RFC 4180), one line for each row, column and seed, with the key of the cell it comes from; nothing is
 * rounded and a missing value is an empty field. Published figures follow, with `published` in place of a seed.
 *
 * @example
 * ```ts
 * import { Csv, Table } from "homodistil/report"
 * const text = Csv.render(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [7],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "random, all axes", cells: { kl: { values: [1.5] } } }]
 * }))
 * assert.equal(text, 'group,row,column,unit,seed,value,cell\r\n,"random, all axes",kl,nats,7,1.5,\r\n')
 * ```
 */
export const render = ({ rows, columns, seeds }: Table): string =>
  lines([
    ["group", "row", "column", "unit", "seed", "value", "cell"],
    ...rows.flatMap(({ group, name, cells, runs }) =>
      columns.flatMap((column, c) => {
        const { values = [], published = null } = cells[c] ?? {}
        const place = [group ?? "", name, column.id, column.unit ?? ""]
        return [
          ...seeds.map((seed, s) => [...place, String(seed), field(values[s] ?? null), runs[s]?.key ?? ""]),
          ...(published === null ? [] : [[...place, "published", String(published), ""]])
        ]
      })
    )
  ])

/** A table of texts as CSV, one line a row; what is missing is an empty field. */
export const renderText = ({ rowHeader, columns, rows }: TextTable): string =>
  lines([
    ["group", rowHeader, ...columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`))],
    ...rows.map(({ group, name, cells }) => [group ?? "", name, ...columns.map(({ id }) => field(cells[id] ?? null))])
  ])

/**
 * The values behind a line figure as CSV, one line for each panel, series, step and sample (in the order of the seeds); `x` is the place
 * on the horizontal axis, where that is not the step.
 */
export const renderFigure = ({ panels }: LineFigure): string =>
  lines([
    ["panel", "series", "step", "x", "sample", "value"],
    ...panels.flatMap(({ title, series }) =>
      series.flatMap(({ name, points }) =>
        points.flatMap(({ step, x, values }) =>
          values.map((value, sample) => [
            title,
            name,
            String(step),
            field(x ?? null),
            String(sample),
            Number.isFinite(value) ? String(value) : ""
          ])
        )
      )
    )
  ])

const field = (value: string | number | null): string => (value === null ? "" : String(value))

/** Records as CSV (RFC 4180), one a line. */
export const lines = (records: ReadonlyArray<ReadonlyArray<string>>): string =>
  records.map((fields) => `${fields.map(quoted).join(",")}\r\n`).join("")

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
