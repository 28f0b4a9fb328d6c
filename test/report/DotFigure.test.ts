import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { DotFigure, Svg, Table } from "../../src/report/index.ts"
import { golden } from "../golden/golden.ts"
import { awkward, table3, table6 } from "./samples.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

const draw = (input: Table.TableInput, columns?: ReadonlyArray<string>) =>
  Effect.runPromise(Svg.render(DotFigure.spec(Table.make(input), columns)))

describe("the picture of a table", () => {
  it("Table 6", async () => golden("table6.svg", await draw(table6)))

  it.each([
    ["Table 6", table6],
    ["Table 3", table3],
    ["awkward cases", awkward],
    [
      "long names",
      { ...table6, rows: table6.rows.map((row) => ({ ...row, name: `${row.name}, over a window of ten steps` })) }
    ]
  ])("%s: no text over another", async (_, input) => {
    expect(overlaps(textBoxes(await draw(input)))).toEqual([])
  })

  it("has a line for the baseline of each group, as far as the group goes", async () => {
    const svg = await draw(table3)
    // two panels, two groups each
    expect(svg.match(/stroke-dasharray="4,3"/g)).toHaveLength(4)
    for (const { group, name } of table3.rows)
      expect(textBoxes(svg).filter(({ text }) => text === `${group ?? ""}, ${name}`)).toHaveLength(1)
  })

  it("has a panel for each column asked for that has values", async () => {
    const texts = textBoxes(await draw(table6, ["kl", "pos"])).map(({ text }) => text)
    expect(texts).toContain("Discrepancy (nats)")
    expect(texts).toContain("Part of speech (%)")
    expect(texts).not.toContain("MLM loss (nats)")
    const empty = {
      ...table6,
      columns: [...table6.columns, { id: "x", name: "Empty", better: "none" as const, digits: 1 }]
    }
    expect(textBoxes(await draw(empty)).map(({ text }) => text)).not.toContain("Empty")
  })
})
