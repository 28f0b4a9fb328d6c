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
  const widths = columns.map((_, c) => all.reduce((widest, row) => Math.max(widest, lengthOf(row[c] ?? "")), 0))
  return all.map((row) =>
    row
      .map((text, c) => padded(text, widths[c] ?? 0, columns[c]?.side))
      .join("  ")
      .trimEnd()
  )
}

const padded = (text: string, width: number, side: Column["side"]): string => {
  const space = " ".repeat(width - lengthOf(text))
  return side === "right" ? `${space}${text}` : `${text}${space}`
}

// letters, and the dots, dashes, arrows and minus signs of this program: one character each
const plain = /^[\x20-\x7e\xb7\u2010-\u2027\u2190-\u21ff\u2212]*$/

/** As `Padding.length`, which divides a text into characters, and takes its time for that. */
const lengthOf = (text: string): number => (plain.test(text) ? text.length : Padding.length(text))
