import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Csv, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, figure3, table1, table3, table6 } from "./samples.ts"

/** RFC 4180, one character after the other. */
const parse = (text: string): ReadonlyArray<ReadonlyArray<string>> => {
  const records: Array<Array<string>> = []
  let record: Array<string> = []
  let field = ""
  let inside = false
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (inside && character === '"' && text.charAt(i + 1) === '"') field += text.charAt(i++)
    else if (character === '"') inside = !inside
    else if (!inside && character === ",") record.push(field.slice(0, (field = "").length || undefined))
    else if (!inside && character === "\r" && text.charAt(i + 1) === "\n") {
      records.push([...record, field])
      record = []
      field = ""
      i++
    } else field += character
  }
  return records
}

describe("CSV", () => {
  it("Table 6", () => golden("table6.csv", Csv.render(Table.make(table6))))
  it("awkward cases", () => golden("awkward.csv", Csv.render(Table.make(awkward))))
  it("groups, keys and published figures", () => golden("table3.csv", Csv.render(Table.make(table3))))
  it("a table of texts", () => {
    expect(parse(Csv.renderText(table1))).toEqual([
      ["group", "Model", "Layers", "Widths", "Parameters", "Left (%)"],
      ["micro", "teacher", "4", "128 / 512", "1353216", "100"],
      ["micro", "student", "4", "32 / 128", "189216", "13.98"],
      ["paper", "BERT-base", "12", "768 / 3072", "", ""]
    ])
  })
  it("Figure 3", () => {
    const records = parse(Csv.renderFigure(figure3))
    const values = figure3.panels.flatMap(({ series }) =>
      series.flatMap(({ points }) => points.flatMap((p) => p.values))
    )
    expect(records[0]).toEqual(["panel", "series", "step", "x", "sample", "value"])
    expect(records.slice(1).map((record) => Number(record[5]))).toEqual(values)
  })

  it("reads back to the same names and, bit for bit, the same values", () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('a "b", c', "line\r\nbreak", ",", "", "ö‖"))
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null))
    const input = fc.tuple(name, fc.array(value, { minLength: 3, maxLength: 3 }))
    fc.assert(
      fc.property(fc.array(input, { maxLength: 4 }), (drawn) => {
        const table = Table.make({
          ...table6,
          columns: [{ id: "kl", name: "KL", better: "none", digits: 2 }],
          rows: drawn.map(([row, values]) => ({ name: row, cells: { kl: { values } } }))
        })
        const expected = drawn.flatMap(([row, values]) =>
          values.map((v, seed) => ["", row, "kl", "", String(seed), v === null ? "" : v, ""])
        )
        const read = parse(Csv.render(table)).slice(1)
        expect(
          read.map((record) => record.map((field, i) => (i === 5 && field !== "" ? Number(field) + 0 : field)))
        ).toEqual(expected.map((record) => record.map((field) => (typeof field === "number" ? field + 0 : field))))
      })
    )
  })
})
