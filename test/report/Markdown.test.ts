import { describe, expect, it } from "vitest"
import { Markdown, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table6 } from "./samples.ts"

/** The columns of a Markdown line, by its unescaped bars. */
const bars = (line: string) => line.split(/(?<!\\)\|/).length

describe("Markdown", () => {
  it("Table 6", () => golden("table6.md", Markdown.render(Table.make(table6))))
  it("awkward cases", () => golden("awkward.md", Markdown.render(Table.make(awkward))))
  it("one seed: no intervals, no tests, nothing said of them", () => {
    const rows = table6.rows.map((row) => ({
      ...row,
      cells: Object.fromEntries(
        Object.entries(row.cells).map(([id, { values }]) => [id, { values: values.slice(0, 1) }])
      )
    }))
    golden("oneSeed.md", Markdown.render(Table.make({ ...table6, seeds: [0], rows })))
  })
  it("never prints what does not exist", () => {
    for (const input of [table6, awkward])
      expect(Markdown.render(Table.make(input))).not.toMatch(/NaN|null|undefined|Infinity/)
  })
  it("has lines of one width and one number of columns in each grid", () => {
    for (const input of [table6, awkward]) {
      const grids = Markdown.render(Table.make(input))
        .split("\n\n")
        .filter((block) => block.startsWith("|"))
      expect(grids).toHaveLength(2)
      for (const grid of grids) {
        const lines = grid.trimEnd().split("\n")
        expect(new Set(lines.map((line) => line.length)).size).toBe(1)
        expect(new Set(lines.map(bars))).toEqual(new Set([input.columns.length + 3]))
      }
    }
  })
})
