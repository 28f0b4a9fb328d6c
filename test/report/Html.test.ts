import { describe, expect, it } from "vitest"
import { Html, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { elements } from "./elements.ts"
import { awkward, table1, table3, table6 } from "./samples.ts"

describe("HTML", () => {
  it("groups, links and published figures", () => golden("table3.html", Html.render(Table.make(table3), "table3")))

  it("closes every element, whatever the names are", () => {
    const nasty = {
      ...awkward,
      title: "<b>",
      caption: "a & b <script>",
      rows: awkward.rows.map((row) => ({ ...row, name: `</td><i>"'&${row.name}` }))
    }
    for (const input of [table3, table6, awkward, nasty]) {
      const html = Html.render(Table.make(input), "t")
      expect(elements(html).left).toEqual([])
      expect(html).not.toMatch(/<script|<i>|undefined|null|NaN/)
    }
    expect(elements(Html.renderText(table1, "t")).left).toEqual([])
  })

  it("leads from a mean to its values, and from every value to its cell", () => {
    const table = Table.make(table3)
    const html = Html.render(table, "t")
    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const within = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id)
    expect(within).toHaveLength(table.rows.length * table.columns.length)
    for (const id of within) expect(ids).toContain(id)
    const cells = [...html.matchAll(/href="(\.\.[^"]+)"/g)].map(([, href]) => href)
    expect(cells).toEqual(table.rows.flatMap(({ runs }) => runs.flatMap(({ href }) => [href, href])))
  })
})
