import type { JsonObject } from "homodistil/spec"
import type { Spread } from "./Spread.ts"

/** A line of a case's table: what is shown, and the numbers behind it. */
export interface Row {
  readonly cells: { readonly [column: string]: string }
  readonly data: JsonObject
}

/** A case's table. */
export interface Section {
  readonly title: string
  readonly note: string
  readonly rows: ReadonlyArray<Row>
}

/** A number with so many digits that matter, without an exponent. */
export const number = (value: number, digits = 3): string =>
  !Number.isFinite(value)
    ? "—"
    : value.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(Math.max(1e-9, Math.abs(value))))))

/** A ratio with what it lay between. */
export const spread = ({ median, least, most }: Spread): string =>
  Number.isFinite(median) ? `${median.toFixed(2)} (${least.toFixed(2)}..${most.toFixed(2)})` : "—"

/** Bytes in MiB. */
export const mebibytes = (bytes: number): string => (Number.isFinite(bytes) ? (bytes / 2 ** 20).toFixed(0) : "—")

/** A share as per cent. */
export const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(0)} %` : "—")

const columnsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => Object.keys(rows[0]?.cells ?? {})

const isNumeric = (text: string): boolean => /^[-—\d]/.test(text)

const table = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const columns = columnsOf(rows)
  const lines = [columns, ...rows.map(({ cells }) => columns.map((column) => cells[column] ?? ""))]
  const widths = columns.map((_, i) => Math.max(3, ...lines.map((line) => (line[i] ?? "").length)))
  const right = columns.map((column) => rows.every(({ cells }) => isNumeric(cells[column] ?? "")))
  const pad = (text: string, i: number): string =>
    right[i] === true ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)
  const rule = widths.map((width, i) => (right[i] === true ? `${"-".repeat(width - 1)}:` : "-".repeat(width)))
  const [head = [], ...body] = lines.map((line) => line.map(pad))
  return [head, rule, ...body].map((line) => `| ${line.join(" | ")} |`)
}

/** A section as Markdown that also reads well on a terminal. */
export const markdown = ({ title, note, rows }: Section): string =>
  [`## ${title}`, "", ...(note === "" ? [] : [note, ""]), ...table(rows), ""].join("\n")

/** A section's numbers. */
export const json = ({ title, note, rows }: Section): JsonObject => ({
  title,
  note,
  rows: rows.map(({ data }) => data)
})
