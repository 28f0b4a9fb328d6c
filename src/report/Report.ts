import type { LineFigure } from "./LineFigure.ts"
import type { Table } from "./Table.ts"
import type { TextTable } from "./TextTable.ts"

/** What a report is made of: a table of measures, a table of texts, and pictures by name, as far as there are any. */
export interface Report {
  readonly table?: Table
  readonly text?: TextTable
  readonly figures?: { readonly [name: string]: LineFigure }
}
