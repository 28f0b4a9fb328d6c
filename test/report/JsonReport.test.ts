import { describe, expect, it } from "vitest"
import { JsonReport, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table6 } from "./samples.ts"

describe("JSON", () => {
  it("Table 6", () => golden("table6.json", JsonReport.render(Table.make(table6))))
  it("awkward cases", () => golden("awkward.json", JsonReport.render(Table.make(awkward))))
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
