import { describe, expect, it } from "vitest"
import { Legend, Table } from "../../src/report/index.ts"
import { awkward, table3, table6 } from "./samples.ts"

describe("how a table is to be read", () => {
  it("says the number of seeds, and what bold means", () => {
    expect(Legend.means(Table.make(table6))).toMatch(/over 3 seeds.*Bold: the best mean, where it differs/)
    expect(Legend.means(Table.make(table3))).toMatch(
      /over 4 seeds.*best mean of its group.*source: a table made up for this test\.$/
    )
  })
  it("names the baseline of the differences", () => {
    expect(Legend.differences(Table.make(table6))).toBe("Paired difference to magnitude, seed by seed:")
    expect(Legend.differences(Table.make(table3))).toBe(
      "Paired difference to TinyBERT_4 of the same group, seed by seed:"
    )
  })
  it("has no bold and no tests to explain without a baseline or with one seed", () => {
    const alone = Table.make({ ...table6, rows: table6.rows.map((row) => ({ ...row, baseline: false })) })
    expect(Legend.isCompared(alone)).toBe(false)
    expect(Legend.means(alone)).not.toContain("Bold")
    const one = Table.make({ ...table6, seeds: [0], rows: [] })
    expect(Legend.tests(one)).toBe("")
  })
  it("knows how far a sign-flip test can go", () => {
    for (const [seeds, least] of [
      [2, "0.5"],
      [3, "0.25"],
      [5, "0.063"],
      [6, "0.031"]
    ] as const)
      expect(
        Legend.leastSignFlip(Table.make({ ...table6, seeds: Array.from({ length: seeds }, (_, s) => s), rows: [] }))
      ).toBe(least)
  })
  it("reports what is missing", () => {
    expect(Legend.absent(Table.make(awkward))).toEqual([
      "half | seen: 1 of 2 seeds; 1 diverged: seed 11, the loss is infinite at step 30.",
      "half | seen, KL: not measured after the last step"
    ])
    expect(Legend.absent(Table.make(table3))).toEqual([])
  })
})
