import { describe, expect, it } from "vitest"
import { Padding, Table, TextPlot } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, figure3, table6 } from "./samples.ts"

describe("text plots", () => {
  const panel = figure3.panels[0] ?? { title: "", series: [] }

  it("Table 6 and Figure 3", () =>
    golden("plots.txt", `${TextPlot.dots(Table.make(table6), "kl")}\n\n${TextPlot.lines(panel)}\n`))

  it("rows without values are left out, columns without any are empty", () => {
    const table = Table.make(awkward)
    expect(TextPlot.dots(table, "kl")).not.toContain("nothing")
    expect(TextPlot.dots(table, "unknown")).toBe("")
    expect(TextPlot.lines({ title: "empty", series: [{ name: "a", points: [] }] })).toBe("")
  })

  it("a mean stands where its number says", () => {
    for (const line of TextPlot.dots(Table.make(table6), "kl", 61).split("\n").slice(1)) {
      const mean = Number(/(\d\.\d+) ±/.exec(line)?.[1])
      const plot = line.slice(Padding.length("sensitivity") + 2)
      const at = plot.search(/[●○◆]/)
      // intervals reach from 1.472 - .0199 to 1.632 + .0720
      expect(1.4521 + (at / 60) * (1.704 - 1.4521)).toBeCloseTo(mean, 2)
    }
  })

  it("the highest bar is the highest mean", () => {
    const points = [5, 1, 10].map((value, step) => ({ step, values: [value] }))
    expect(TextPlot.lines({ title: "t", series: [{ name: "a", points }] }, 3)).toContain("▅▂█")
  })
})
