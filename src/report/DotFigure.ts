import type { TopLevelSpec } from "vega-lite"
import * as Legend from "./Legend.ts"
import { grey, palette } from "./Svg.ts"
import { type Column, groups, type Row, type Table } from "./Table.ts"

const plotWidth = 210
const rowHeight = 30

/**
 * A table as a picture, in vega-lite: one panel a column, in each the mean and 95 % interval of each row over its single seeds.
 *
 * The baseline is grey and its mean a dashed line; the best row is vermilion where the table marks it. Columns without any value
 * are left out; `columns` chooses others, by id.
 */
export const spec = (
  table: Table,
  columns: ReadonlyArray<string> = table.columns.map(({ id }) => id)
): TopLevelSpec => {
  const panels = table.columns.flatMap((column, c) =>
    columns.includes(column.id) && table.rows.some((row) => row.cells[c]?.summary) ? [{ column, c }] : []
  )
  const perLine = Math.min(3, panels.length)
  const baselines = [...new Set(table.rows.filter((row) => row.baseline).map(({ name }) => name))]
  const grouped = groups(table).length > 1
  const best = table.rows.some((row) => panels.some(({ c }) => row.cells[c]?.best === true))
  const key = [
    table.seeds.length < 2
      ? "One seed."
      : `Mean and 95 % interval over ${table.seeds.length} seeds (small dots: single seeds).`,
    baselines.length === 0 ? "" : `Dashed: ${baselines.join(", ")}, the baseline${grouped ? " of each group" : ""}.`,
    best ? "Orange: the best, different from the baseline (p < 0.05 after Holm)." : ""
  ]
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: {
      text: table.title,
      subtitle: [table.caption, key.slice(0, 2).join(" ").trim(), key[2] ?? ""].filter((line) => line !== ""),
      offset: 22
    },
    columns: perLine,
    spacing: { row: 34, column: 30 },
    concat: panels.map(({ column, c }, i) => panel(table, column, c, i % perLine === 0))
  }
}

/** A row's name on the axis: with its group, since names may come again in other groups. */
const nameOf: (row: Row) => string = Legend.full

/** The baselines of a column, each with the first and last row of its group. */
const baselines = (table: Table, c: number) =>
  groups(table).flatMap(({ rows }) => {
    const mean = rows.find(({ baseline }) => baseline)?.cells[c]?.summary?.mean
    const [first, last] = [rows[0], rows.at(-1)]
    return mean === undefined || first === undefined || last === undefined
      ? []
      : [{ mean, row: nameOf(first), last: nameOf(last) }]
  })

const panel = (table: Table, column: Column, c: number, first: boolean) => {
  const rows = table.rows.flatMap((row) => {
    const { summary = null, best = false } = row.cells[c] ?? {}
    if (summary === null) return []
    const { mean, interval } = summary
    const kind = row.baseline ? "baseline" : best ? "best" : "other"
    return [{ row: nameOf(row), mean, low: interval?.low ?? mean, high: interval?.high ?? mean, kind }]
  })
  const seeds = table.rows.flatMap((row) =>
    (row.cells[c]?.values ?? []).flatMap((value) => (value === null ? [] : [{ row: nameOf(row), value }]))
  )
  const grouped = groups(table).length > 1
  const x = {
    type: "quantitative" as const,
    scale: { domain: around(rows), nice: false, zero: false },
    axis: { title: null, tickCount: 4, domain: false, ticks: false }
  }
  const y = {
    field: "row",
    type: "nominal" as const,
    scale: { domain: table.rows.map(nameOf) },
    axis: {
      title: null,
      labels: first,
      ticks: false,
      domain: false,
      grid: true,
      labelFontSize: 13,
      labelPadding: 10,
      labelLimit: 480
    }
  }
  const color = {
    field: "kind",
    type: "nominal" as const,
    scale: { domain: ["baseline", "best", "other"], range: [grey, palette[1], palette[0]] },
    legend: null
  }
  const way = { lower: "lower is better", higher: "higher is better", none: "\u00a0" }[column.better] // a blank line keeps titles level
  return {
    width: plotWidth,
    height: table.rows.length * rowHeight,
    title: {
      text: column.unit === undefined ? column.name : `${column.name} (${column.unit})`,
      subtitle: way,
      fontSize: 13,
      subtitleFontSize: 11.5,
      subtitlePadding: 3,
      offset: 10,
      frame: "group" as const
    },
    layer: [
      {
        data: { values: baselines(table, c) },
        mark: { type: "rule" as const, color: grey, strokeDash: [4, 3], opacity: 0.8 },
        encoding: { x: { ...x, field: "mean" }, ...(grouped ? { y, y2: { field: "last" } } : {}) }
      },
      {
        data: { values: rows },
        mark: { type: "rule" as const, strokeWidth: 2.4, strokeCap: "round" as const },
        encoding: { x: { ...x, field: "low" }, x2: { field: "high" }, y, color }
      },
      {
        data: { values: seeds },
        mark: { type: "circle" as const, size: 16, color: "#1a1a1a", opacity: 0.45, yOffset: 9 },
        encoding: { x: { ...x, field: "value" }, y }
      },
      {
        data: { values: rows },
        mark: { type: "circle" as const, size: 85, opacity: 1, stroke: "#ffffff", strokeWidth: 1 },
        encoding: { x: { ...x, field: "mean" }, y, color }
      }
    ]
  }
}

/** The range of the intervals with some air; a single point gets a range of its own size. */
const around = (rows: ReadonlyArray<{ readonly low: number; readonly high: number }>): [number, number] => {
  const low = Math.min(...rows.map((row) => row.low))
  const high = Math.max(...rows.map((row) => row.high))
  const air = high > low ? 0.08 * (high - low) : Math.max(Math.abs(low) * 0.1, 1e-3)
  return [low - air, high + air]
}
