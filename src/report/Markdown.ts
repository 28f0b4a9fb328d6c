import * as Numeral from "./Numeral.ts"
import * as Padding from "./Padding.ts"
import type { Cell, Column, Table } from "./Table.ts"

/**
 * The table as GitHub Markdown: means with 95 % intervals, then paired differences to the baseline, notes and provenance.
 *
 * Columns are padded, so the text is also readable as it is. Bold marks a column's best mean where its paired difference to
 * the baseline survives Holm's correction.
 *
 * @example
 * ```ts
 * import { Markdown, Table } from "homodistil/report"
 * const text = Markdown.render(Table.make({
 *   title: "Table 6", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "random", cells: { kl: { values: [1.5, 1.6] } } }]
 * }))
 * assert.match(text, /\| random +\| 1\.55 ± 0\.64 \|/)
 * ```
 */
export const render = (table: Table): string => {
  const baseline = table.rows.find((row) => row.baseline)
  const others = table.rows.filter((row) => !row.baseline)
  const compared = baseline !== undefined && others.some((row) => row.cells.some((cell) => cell.difference !== null))
  const heads = [table.rowHeader, ...table.columns.map(heading)]
  const main = table.rows.map((row) => [
    row.baseline ? `${escape(row.name)} (baseline)` : escape(row.name),
    ...table.columns.map((column, c) => value(row.cells[c], column, table.seeds.length))
  ])
  const differences = others.map((row) => [
    escape(row.name),
    ...table.columns.map((column, c) => difference(row.cells[c], column, table.seeds.length))
  ])
  const blocks = [
    `## ${oneLine(table.title)}`,
    table.caption === "" ? [] : oneLine(table.caption),
    grid([heads, ...main]),
    reading(table, compared),
    compared ? [`Paired difference to ${oneLine(baseline.name)}, seed by seed:`, grid([heads, ...differences])] : [],
    compared ? tests(table) : [],
    bullets([...absent(table), ...table.notes]),
    table.provenance.length === 0 ? [] : ["<sub>Provenance</sub>", bullets(table.provenance)]
  ]
  return `${blocks.flat().join("\n\n")}\n`
}

const heading = ({ name, unit, better }: Column): string => {
  const arrow = { lower: " ↓", higher: " ↑", none: "" }[better]
  return escape(unit === undefined ? name : `${name} (${unit})`) + arrow
}

const value = (cell: Cell | undefined, { digits }: Column, seeds: number): string => {
  const summary = cell?.summary ?? null
  if (cell === undefined || summary === null) return "—"
  const mean = Numeral.plusMinus(Numeral.fixed(summary.mean, digits), summary.halfWidth, digits)
  const text = counted(mean, summary.count, seeds)
  return cell.best ? `**${text}**` : text
}

const counted = (text: string, count: number, seeds: number): string =>
  count === seeds ? text : `${text} (n ${count})`

const difference = (cell: Cell | undefined, { digits }: Column, seeds: number): string => {
  const pair = cell?.difference ?? null
  if (pair === null) return "—"
  const text = counted(Numeral.plusMinus(Numeral.signed(pair.mean, digits), pair.halfWidth, digits), pair.count, seeds)
  return pair.pHolm === null ? text : `${text}, ${Numeral.pValue(pair.pHolm)}`
}

/** How the main table is to be read. */
const reading = ({ seeds, columns }: Table, compared: boolean): string => {
  const judged = columns.some(({ better }) => better !== "none")
  return [
    seeds.length < 2
      ? "One seed: no intervals."
      : `Mean ± half-width of the 95 % t-interval over ${seeds.length} seeds.`,
    judged ? "↓ lower is better, ↑ higher is better." : "",
    judged && compared && seeds.length > 1
      ? "Bold: the best mean, where it differs from the baseline (p < 0.05 after Holm)."
      : ""
  ]
    .filter((sentence) => sentence !== "")
    .join(" ")
}

/** How the p-values were made. */
const tests = ({ seeds }: Table): ReadonlyArray<string> =>
  seeds.length < 2
    ? []
    : [
        `p: paired t-test, two-sided, Holm-corrected over the rows of a column. An exact sign-flip test of ${seeds.length} seeds ` +
          `cannot give less than ${Number((2 / 2 ** seeds.length).toPrecision(2))}; its p-values are in the JSON report.`
      ]

/** One line for each reason why values are missing. */
const absent = ({ rows, columns }: Table): ReadonlyArray<string> =>
  rows.flatMap((row) =>
    columns.flatMap(({ name }, c) => {
      const missing = row.cells[c]?.missing ?? null
      return missing === null ? [] : [`${row.name}, ${name}: ${missing}`]
    })
  )

const bullets = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : [lines.map((line) => `- ${oneLine(line)}`).join("\n")]

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim()

const escape = (text: string): string => oneLine(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|")

/** Rows of equal length as an aligned table; the first is its head, the first column stands left, the others right. */
const grid = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => Padding.length(row[c] ?? ""))))
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const [head, ...body] = rows.map((row) =>
    line(row.map((text, c) => (c === 0 ? Padding.end : Padding.start)(text, widths[c] ?? 0)))
  )
  const rule = line(widths.map((width, c) => (c === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)))
  return [head, rule, ...body].join("\n")
}
