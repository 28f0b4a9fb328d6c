import { Padding } from "../../report/index.ts"

/** A column of texts, to the left or to the right. */
export interface Column {
  readonly name: string
  readonly side?: "left" | "right"
}

/**
 * Rows of texts under each other, columns two spaces apart, no spaces at the ends of lines; without any names there is no head.
 */
export const lines = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const named = columns.some(({ name }) => name !== "")
  const all = named ? [columns.map(({ name }) => name), ...rows] : rows
  const widths = columns.map((_, c) => all.reduce((widest, row) => Math.max(widest, Padding.length(row[c] ?? "")), 0))
  return all.map((row) =>
    row
      .map((text, c) => (columns[c]?.side === "right" ? Padding.start : Padding.end)(text, widths[c] ?? 0))
      .join("  ")
      .trimEnd()
  )
}
