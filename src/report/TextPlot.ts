import { bands, type Panel } from "./LineFigure.ts"
import * as Numeral from "./Numeral.ts"
import * as Padding from "./Padding.ts"
import type { Table } from "./Table.ts"

/**
 * One column of a table as lines of text for a terminal: mean (●, best ◆, baseline ○) and 95 % interval of each row on one scale.
 * Empty where the column is unknown or has no values.
 *
 * @example
 * ```ts
 * import { Table, TextPlot } from "homodistil/report"
 * const text = TextPlot.dots(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "PLATON", cells: { kl: { values: [1, 2] } } }]
 * }), "kl", 11)
 * assert.deepEqual(text.split("\n"), ["KL (nats), lower is better", "PLATON  ├────●────┤  1.50 ± 6.35"])
 * ```
 */
export const dots = (table: Table, columnId: string, width = 40): string => {
  const c = table.columns.findIndex(({ id }) => id === columnId)
  const column = table.columns[c]
  if (column === undefined) return ""
  const rows = table.rows.flatMap(({ name, baseline, cells }) => {
    const { summary = null, best = false } = cells[c] ?? {}
    if (summary === null) return []
    const { mean, halfWidth, interval } = summary
    const sign = best ? "◆" : baseline ? "○" : "●"
    return [{ name, mean, halfWidth, low: interval?.low ?? mean, high: interval?.high ?? mean, sign }]
  })
  if (rows.length === 0) return ""
  const low = Math.min(...rows.map((row) => row.low))
  const high = Math.max(...rows.map((row) => row.high))
  const at = (value: number) => (high > low ? Math.round(((value - low) / (high - low)) * (width - 1)) : width >> 1)
  const widest = Math.max(...rows.map(({ name }) => Padding.length(name)))
  const texts = rows.map((row) => {
    const [from, to, middle] = [at(row.low), at(row.high), at(row.mean)]
    const marks = Array.from({ length: width }, (_, i) => {
      if (i === middle) return row.sign
      if (i === from) return "├"
      if (i === to) return "┤"
      return i > from && i < to ? "─" : " "
    })
    const mean = Numeral.plusMinus(Numeral.fixed(row.mean, column.digits), row.halfWidth, column.digits)
    return `${Padding.end(row.name, widest)}  ${marks.join("")}  ${mean}`
  })
  const name = column.unit === undefined ? column.name : `${column.name} (${column.unit})`
  return [column.better === "none" ? name : `${name}, ${column.better} is better`, ...texts].join("\n")
}

/**
 * The lines of a panel as text for a terminal, one row of bars a series from the first step to the last, on one scale from zero.
 *
 * @example
 * ```ts
 * import { TextPlot } from "homodistil/report"
 * const points = [0, 1, 2, 3].map((step) => ({ step, values: [step] }))
 * const text = TextPlot.lines({ title: "KL (nats)", series: [{ name: "PLATON", points }] }, 4)
 * assert.deepEqual(text.split("\n"), ["KL (nats), 0 to 3.00, over steps 0 to 3", "PLATON  ▁▃▆█  0.00 → 3.00"])
 * ```
 */
export const lines = (panel: Panel, width = 40): string => {
  const series = panel.series
    .map((each) => ({ name: each.name, means: bands(each) }))
    .filter(({ means }) => means.length > 0)
  const all = series.flatMap(({ means }) => means)
  if (all.length === 0) return ""
  const first = Math.min(...all.map(({ step }) => step))
  const last = Math.max(...all.map(({ step }) => step))
  const top = Math.max(...all.map(({ mean }) => mean))
  const widest = Math.max(...series.map(({ name }) => Padding.length(name)))
  const rows = series.map(({ name, means }) => {
    const marks = Array.from({ length: width }, (_, i) => {
      const step = first + ((last - first) * i) / Math.max(1, width - 1)
      const near = means.reduce((a, b) => (Math.abs(b.step - step) < Math.abs(a.step - step) ? b : a))
      return bars[top > 0 ? Math.round((Math.max(0, near.mean) / top) * (bars.length - 1)) : 0] ?? ""
    })
    const ends = [means[0], means.at(-1)].map((band) => Numeral.fixed(band?.mean ?? 0, 2))
    return `${Padding.end(name, widest)}  ${marks.join("")}  ${ends.join(" → ")}`
  })
  return [`${panel.title}, 0 to ${Numeral.fixed(top, 2)}, over steps ${first} to ${last}`, ...rows].join("\n")
}

const bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const
