import { describe, expect, it } from "vitest"
import { Markdown, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table1, table3, table6 } from "./samples.ts"

/** The columns of a Markdown line, by its unescaped bars. */
const bars = (line: string) => line.split(/(?<!\\)\|/).length

describe("Markdown", () => {
  it("Table 6", () => golden("table6.md", Markdown.render(Table.make(table6))))
  it("awkward cases", () => golden("awkward.md", Markdown.render(Table.make(awkward))))
  it("groups, links and published figures", () => golden("table3.md", Markdown.render(Table.make(table3))))
  it("a table of texts", () => golden("table1.md", Markdown.renderText(table1)))
  it("without detail is the same but for what is folded away", () => {
    const whole = Markdown.render(Table.make(table3))
    const short = Markdown.render(Table.make(table3), { detail: false })
    expect(short).not.toContain("<details>")
    expect(short).not.toContain("under Detail")
    for (const block of short.trimEnd().split("\n\n")) expect(whole).toContain(block)
  })
  it("links every value to its cell, once", () => {
    const table = Table.make(table3)
    const text = Markdown.render(table)
    const targets = new Map(
      [...text.matchAll(/^\[([^\]]+)\]: <([^>]+)>/gm)].map(([, label = "", href = ""]) => [label, href])
    )
    const links = [...text.matchAll(/\[([^\]]+)\]\[([^\]]+)\]/g)].map(([, value, label = ""]) => [
      value,
      targets.get(label)
    ])
    const expected = table.rows.flatMap((row) =>
      table.seeds.flatMap((_, s) => row.cells.map(({ values }) => [values[s]?.toFixed(1), row.runs[s]?.href]))
    )
    expect(links).toEqual(expected)
  })
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
    for (const input of [table3, table6, awkward])
      expect(Markdown.render(Table.make(input))).not.toMatch(/NaN|null|undefined|Infinity/)
  })
  it("has lines of one width and one number of columns in each grid", () => {
    for (const input of [table3, table6, awkward]) {
      const grids = Markdown.render(Table.make(input))
        .split("\n\n")
        .filter((block) => block.startsWith("|"))
      expect(grids).toHaveLength(4)
      const published = Object.keys(input.published ?? {}).length > 0 ? 1 : 0
      const count = [input.columns.length + 1 + published, input.columns.length + 1, 13, input.columns.length + 2]
      for (const [g, grid] of grids.entries()) {
        const lines = grid.trimEnd().split("\n")
        expect(new Set(lines.map((line) => line.length)).size).toBe(1)
        expect(new Set(lines.map(bars))).toEqual(new Set([(count[g] ?? 0) + 2]))
      }
    }
  })
})
