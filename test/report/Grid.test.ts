import { describe, expect, it } from "vitest"
import { Grid, Table } from "../../src/report/index.ts"
import { awkward, table3, table6 } from "./samples.ts"

const entries = ({ lines }: Grid.Grid) => lines.flatMap((line) => ("entries" in line ? [line.entries] : []))
const sections = ({ lines }: Grid.Grid) => lines.flatMap((line) => ("section" in line ? [line.section] : []))

describe("grids", () => {
  it.each([
    ["Table 3", table3],
    ["Table 6", table6],
    ["awkward cases", awkward]
  ])("%s: as many entries in each line as heads", (_, input) => {
    const table = Table.make(input)
    for (const grid of [Grid.means(table), Grid.differences(table), Grid.statistics(table), Grid.values(table)])
      for (const line of entries(grid)) expect(line).toHaveLength(grid.heads.length)
  })

  it("name each group once, above its rows", () => {
    const table = Table.make(table3)
    for (const grid of [Grid.means(table), Grid.differences(table), Grid.values(table)])
      expect(sections(grid)).toEqual(["189k parameters", "340k parameters"])
    expect(sections(Grid.means(Table.make(table6)))).toEqual([])
  })

  it("are bold where the table says so, and nowhere else", () => {
    const table = Table.make(table6)
    const bold = entries(Grid.means(table)).map((line) => line.slice(1).map((entry) => entry.bold))
    expect(bold).toEqual(table.rows.map((row) => row.cells.map(({ best }) => best)))
  })

  it("keep published figures apart, as they were published", () => {
    const { heads } = Grid.means(Table.make(table3))
    expect(heads.map(({ name }) => name)).toEqual(["Method", "Part of speech", "Part of speech, published", "Span F1"])
    expect(entries(Grid.means(Table.make(table3))).map((line) => line[2]?.text)).toEqual(["—", "—", "83.3", "—", "84"])
  })

  it("show every statistic there is", () => {
    const table = Table.make(table6)
    const pair = table.rows[1]?.cells[0]?.difference
    expect(entries(Grid.statistics(table))[6]?.map(({ text }) => text)).toEqual([
      "sensitivity",
      "Discrepancy (nats)",
      "3",
      "1.472",
      "0.008",
      "1.452 to 1.492",
      "−0.100",
      "0.010",
      "−0.124 to −0.076",
      `−${Math.abs(pair?.effectSize ?? 0).toFixed(2)}`,
      pair?.pValue?.toFixed(3),
      "0.250",
      pair?.pHolm?.toFixed(3)
    ])
  })

  it("link a value to its run, and say where a run diverged", () => {
    const lines = entries(Grid.values(Table.make(awkward)))
    expect(lines.map((line) => line[2]?.text)).toEqual(["1.000", "1.500", "0.500", "diverged", "—", "—"])
    expect(lines.map((line) => line[2]?.run?.key.slice(0, 1))).toEqual([
      undefined,
      undefined,
      "1",
      "2",
      undefined,
      undefined
    ])
  })
})
