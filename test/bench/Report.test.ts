import { describe, expect, it } from "vitest"
import { agreement } from "../../bench/check.ts"
import * as Report from "../../bench/Report.ts"

describe("Report", () => {
  it("makes a table whose numbers stand at the right", () => {
    const row = (shape: string, ms: string) => ({ cells: { variant: shape, ms }, data: {} })
    expect(Report.markdown({ title: "T", note: "", rows: [row("eager", "9.5"), row("sdpa", "12.5")] })).toBe(
      ["## T", "", "| variant |   ms |", "| ------- | ---: |", "| eager   |  9.5 |", "| sdpa    | 12.5 |", ""].join(
        "\n"
      )
    )
  })

  it("shows three digits, and a dash for what was not measured", () => {
    expect([0.01234, 1.234, 12.34, 1234].map((x) => Report.number(x))).toEqual(["0.0123", "1.23", "12.3", "1234"])
    expect([Report.number(Number.NaN), Report.mebibytes(Number.NaN), Report.percent(Number.NaN)]).toEqual([
      "—",
      "—",
      "—"
    ])
  })
})

describe("agreement", () => {
  it("is closer at the first step than later", () => {
    expect(agreement([1, 2], [1.00005, 2.001]).agrees).toBe(true)
    expect(agreement([1, 2], [1.0005, 2]).agrees).toBe(false)
    expect(agreement([1, 2], [1, 2.01]).agrees).toBe(false)
  })

  it("fails where a side lacks steps or gives no number", () => {
    expect(agreement([1, 2], [1]).agrees).toBe(false)
    expect(agreement([1, Number.NaN], [1, 2]).agrees).toBe(false)
    expect(agreement([], []).agrees).toBe(false)
  })
})
