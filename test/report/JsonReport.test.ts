import { describe, expect, it } from "vitest"
import { JsonReport, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table1, table3, table6 } from "./samples.ts"

describe("JSON", () => {
  it("Table 6", () => golden("table6.json", JsonReport.render(Table.make(table6))))
  it("awkward cases", () => golden("awkward.json", JsonReport.render(Table.make(awkward))))
  it("groups, keys and published figures", () => golden("table3.json", JsonReport.render(Table.make(table3))))
  it("a table of texts keeps its numbers", () => {
    expect(JSON.parse(JsonReport.renderText(table1))).toMatchObject({
      format: "homodistil/text-table",
      title: table1.title,
      rowHeader: "Model",
      rows: [
        { name: "teacher", group: "micro" },
        { name: "student", group: "micro", cells: { layers: 4, widths: "32 / 128", size: 189216, share: 13.98 } },
        { name: "BERT-base", group: "paper", cells: { size: null, share: null } }
      ]
    })
  })
  it("is the value it says", () => {
    const table = Table.make(awkward)
    expect(JSON.parse(JsonReport.render(table))).toEqual(JsonReport.toJson(table))
  })
  it("does not depend on the order in which cells were measured", () => {
    const rows = table6.rows.map((row) => ({
      ...row,
      cells: Object.fromEntries(Object.entries(row.cells).toReversed())
    }))
    expect(JsonReport.render(Table.make({ ...table6, rows }))).toBe(JsonReport.render(Table.make(table6)))
  })
})
