import { describe, expect, it } from "vitest"
import { TextTable } from "../../src/report/index.ts"
import { table1 } from "./samples.ts"

describe("a table of texts", () => {
  it("has numbers right, texts left, and a dash for nothing", () => {
    const { heads, lines } = TextTable.grid(table1)
    expect(heads.map(({ name, side }) => [name, side])).toEqual([
      ["Model", "left"],
      ["Layers", "right"],
      ["Widths", "left"],
      ["Parameters", "right"],
      ["Left", "right"]
    ])
    expect(lines).toEqual([
      { section: "micro" },
      { entries: ["teacher", "4", "128 / 512", "1,353,216", "100.0"].map((text) => ({ text })) },
      { entries: ["student", "4", "32 / 128", "189,216", "14.0"].map((text) => ({ text })) },
      { section: "paper" },
      { entries: ["BERT-base", "12", "768 / 3072", "—", "—"].map((text) => ({ text })) }
    ])
  })
})
