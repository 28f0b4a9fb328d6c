import type { Entry, Grid } from "./Grid.ts"
import { nothing } from "./Grid.ts"
import * as Numeral from "./Numeral.ts"

/** A column of texts or numbers. */
export interface TextColumn {
  readonly id: string
  readonly name: string
  readonly unit?: string
  /** Digits after the point of its numbers; as many as they have unless given. */
  readonly digits?: number
}

/** A row of texts and numbers, by column id; what is left out or `null` is shown as a dash. */
export interface TextRow {
  readonly name: string
  readonly group?: string
  readonly cells: { readonly [columnId: string]: string | number | null }
}

/** A table without statistics: architectures, properties of methods. */
export interface TextTable {
  readonly title: string
  readonly caption: string
  readonly rowHeader: string
  readonly columns: ReadonlyArray<TextColumn>
  readonly rows: ReadonlyArray<TextRow>
  readonly notes?: ReadonlyArray<string>
  readonly provenance?: ReadonlyArray<string>
}

/**
 * The texts of the table in their places; a column with any text stands left, one of numbers right.
 *
 * @example
 * ```ts
 * import { TextTable } from "homodistil/report"
 * const grid = TextTable.grid({
 *   title: "Table 1", caption: "", rowHeader: "Model",
 *   columns: [{ id: "size", name: "Parameters" }, { id: "start", name: "Start" }],
 *   rows: [{ name: "student", cells: { size: 189216, start: "teacher" } }]
 * })
 * assert.deepEqual(grid.heads.map(({ side }) => side), ["left", "right", "left"])
 * assert.deepEqual(grid.lines, [{ entries: [{ text: "student" }, { text: "189,216" }, { text: "teacher" }] }])
 * ```
 */
export const grid = ({ rowHeader, columns, rows }: TextTable): Grid => ({
  heads: [
    { name: rowHeader, side: "left" },
    ...columns.map(({ id, name, unit }) => ({
      name,
      ...(unit === undefined ? {} : { below: `(${unit})` }),
      side: rows.some(({ cells }) => typeof cells[id] === "string") ? ("left" as const) : ("right" as const)
    }))
  ],
  lines: [...Map.groupBy(rows, ({ group }) => group)].flatMap(([group, members]) => [
    ...(group === undefined ? [] : [{ section: group }]),
    ...members.map(({ name, cells }) => ({
      entries: [
        { text: name },
        ...columns.map(({ id, digits }): Entry => ({ text: textOf(cells[id] ?? null, digits) }))
      ]
    }))
  ])
})

const textOf = (value: string | number | null, digits: number | undefined): string => {
  if (value === null) return nothing
  if (typeof value === "string") return value
  return digits === undefined ? Numeral.plain(value) : Numeral.fixed(value, digits)
}
