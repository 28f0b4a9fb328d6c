import * as Numeral from "./Numeral.ts"
import { type Cell, type Column, groups, type Row, type Run, type Table } from "./Table.ts"

/** The heading of a column. */
export interface Head {
  readonly name: string
  /** Unit and direction, or what else stands below the name where there is room. */
  readonly below?: string
  /** Numbers stand right, texts left. */
  readonly side: "left" | "right"
}

/** A text in its place. */
export interface Entry {
  readonly text: string
  readonly bold?: boolean
  /** The run that a number was measured in. */
  readonly run?: Run
  /** The row of the table whose values a number is made of. */
  readonly of?: number
}

/** A line of a grid: entries under the heads, or the name of the group that follows. */
export type Line = { readonly section: string } | { readonly entries: ReadonlyArray<Entry> }

/** Texts in rows and columns, ready for any format: what Markdown, LaTeX and HTML draw alike. */
export interface Grid {
  readonly heads: ReadonlyArray<Head>
  readonly lines: ReadonlyArray<Line>
}

/** What stands where there is nothing. */
export const nothing = "—"

/**
 * The heading of a measure, with its unit and whether lower or higher is better.
 *
 * @example
 * ```ts
 * import { Grid } from "homodistil/report"
 * assert.deepEqual(Grid.head({ name: "KL", unit: "nats", better: "lower" }), { name: "KL", below: "(nats) ↓", side: "right" })
 * ```
 */
export const head = ({ name, unit, better }: Pick<Column, "name" | "unit" | "better">): Head => {
  const below = [unit === undefined ? "" : `(${unit})`, { lower: "↓", higher: "↑", none: "" }[better]]
  const text = below.filter((part) => part !== "").join(" ")
  return { name, ...(text === "" ? {} : { below: text }), side: "right" }
}

/** The lines of each group, under its name where there is one. */
const sections = (table: Table, lines: (row: Row) => ReadonlyArray<Line>): ReadonlyArray<Line> =>
  groups(table).flatMap(({ group, rows }) => {
    const inner = rows.flatMap(lines)
    return group === null || inner.length === 0 ? inner : [{ section: group }, ...inner]
  })

const rowHead = ({ rowHeader }: Table): Head => ({ name: rowHeader, side: "left" })

const counted = (text: string, count: number, { seeds }: Table): string =>
  count === seeds.length ? text : `${text} (${count} of ${seeds.length} seeds)`

const perColumn = (table: Table, row: Row, entry: (cell: Cell, column: Column) => Entry): ReadonlyArray<Entry> =>
  table.columns.map((column, c) => {
    const cell = row.cells[c]
    return cell === undefined ? { text: nothing } : entry(cell, column)
  })

/** Whether anything was published of a column. */
const isPublished = (table: Table, c: number): boolean =>
  table.rows.some((row) => (row.cells[c]?.published ?? null) !== null)

/**
 * Means with half of their 95 % intervals, bold where the table marks them; published figures in columns of their own.
 *
 * @example
 * ```ts
 * import { Grid, Table } from "homodistil/report"
 * const { lines } = Grid.means(Table.make({
 *   title: "", caption: "", rowHeader: "Score", seeds: [0, 1],
 *   columns: [{ id: "kl", name: "KL", unit: "nats", better: "lower", digits: 2 }],
 *   rows: [{ name: "PLATON", cells: { kl: { values: [1, 2] } } }]
 * }))
 * assert.deepEqual(lines, [{ entries: [{ text: "PLATON" }, { text: "1.50 ± 6.35", bold: false, of: 0 }] }])
 * ```
 */
export const means = (table: Table): Grid => {
  const published = table.columns.map((_, c) => isPublished(table, c))
  return {
    heads: [
      rowHead(table),
      ...table.columns.flatMap((column, c): ReadonlyArray<Head> => {
        const measured = head(column)
        return published[c] === true ? [measured, { ...measured, name: `${column.name}, published` }] : [measured]
      })
    ],
    lines: sections(table, (row) => [
      {
        entries: [
          { text: row.baseline ? `${row.name} (baseline)` : row.name },
          ...table.columns.flatMap(({ digits }, c): ReadonlyArray<Entry> => {
            const { summary = null, best = false, published: figure = null } = row.cells[c] ?? {}
            const mean =
              summary === null
                ? nothing
                : counted(
                    Numeral.plusMinus(Numeral.fixed(summary.mean, digits), summary.halfWidth, digits),
                    summary.count,
                    table
                  )
            const measured: Entry = { text: mean, bold: best, of: table.rows.indexOf(row) }
            return published[c] === true
              ? [measured, { text: figure === null ? nothing : Numeral.plain(figure) }]
              : [measured]
          })
        ]
      }
    ])
  }
}

/** Paired differences to the baseline of the group with half of their intervals and corrected p-values; no lines without any. */
export const differences = (table: Table): Grid => ({
  heads: [rowHead(table), ...table.columns.map(head)],
  lines: sections(table, (row) =>
    row.baseline || row.cells.every(({ difference }) => difference === null)
      ? []
      : [
          {
            entries: [
              { text: row.name },
              ...perColumn(table, row, ({ difference: pair }, { digits }) => {
                if (pair === null) return { text: nothing }
                const size = Numeral.plusMinus(Numeral.signed(pair.mean, digits), pair.halfWidth, digits)
                const text = counted(size, pair.count, table)
                return { text: pair.pHolm === null ? text : `${text}, ${Numeral.pValue(pair.pHolm)}` }
              })
            ]
          }
        ]
  )
})

const left = (name: string): Head => ({ name, side: "left" })
const right = (name: string): Head => ({ name, side: "right" })

/** Every statistic of every row and measure, one line each. */
export const statistics = (table: Table): Grid => ({
  heads: [
    rowHead(table),
    left("Measure"),
    ...["Seeds", "Mean", "SD", "95 % interval", "Difference", "SD of it", "95 % interval of it", "d_z"].map(right),
    ...["p, paired t", "p, sign-flip", "p, Holm"].map(right)
  ],
  lines: sections(table, (row) =>
    table.columns.flatMap((column, c) => {
      const { summary = null, difference: pair = null } = row.cells[c] ?? {}
      const number = (value: number | null | undefined): string =>
        optional(value, (v) => Numeral.fixed(v, column.digits))
      const interval = (of: typeof summary): string =>
        optional(of?.interval, ({ low, high }) => `${number(low)} to ${number(high)}`)
      const p = (value: number | null | undefined): string => optional(value, Numeral.probability)
      const texts = [
        row.name,
        column.unit === undefined ? column.name : `${column.name} (${column.unit})`,
        summary?.count === table.seeds.length ? `${summary.count}` : `${summary?.count ?? 0} of ${table.seeds.length}`,
        number(summary?.mean),
        number(summary?.deviation),
        interval(summary),
        optional(pair, ({ mean }) => Numeral.signed(mean, column.digits)),
        number(pair?.deviation),
        interval(pair),
        optional(pair?.effectSize, (d) => Numeral.signed(d, 2)),
        p(pair?.pValue),
        p(pair?.signFlip),
        p(pair?.pHolm)
      ]
      return summary === null ? [] : [{ entries: texts.map((text) => ({ text })) }]
    })
  )
})

const optional = <A>(value: A | null | undefined, text: (value: A) => string): string =>
  value === null || value === undefined ? nothing : text(value)

/** Every value by row and seed, each with the run it comes from. */
export const values = (table: Table): Grid => ({
  heads: [rowHead(table), right("Seed"), ...table.columns.map(head)],
  lines: sections(table, (row) =>
    table.seeds.map((seed, s) => {
      const run = row.runs[s]
      const linked = run === undefined ? {} : { run }
      return {
        entries: [
          { text: row.name, ...(s === 0 ? { of: table.rows.indexOf(row) } : {}) },
          { text: String(seed) },
          ...perColumn(table, row, (cell, { digits }) => {
            const value = cell.values[s] ?? null
            if (value !== null) return { text: Numeral.fixed(value, digits), ...linked }
            return run?.diverged === undefined ? { text: nothing } : { text: "diverged", ...linked }
          })
        ]
      }
    })
  )
})
