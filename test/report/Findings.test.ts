import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Findings, Table } from "../../src/report/index.ts"
import { awkward, table3, table6 } from "./samples.ts"

const of = (values: ReadonlyArray<ReadonlyArray<number | null>>, seeds: number, better: "lower" | "higher" | "none") =>
  Table.make({
    title: "",
    caption: "",
    rowHeader: "row",
    seeds: Array.from({ length: seeds }, (_, s) => s),
    columns: [{ id: "kl", name: "KL", unit: "nats", better, digits: 3 }],
    rows: values.map((row, r) => ({ name: `row ${r}`, baseline: r === 0, cells: { kl: { values: row } } }))
  })

describe("what the numbers support", () => {
  it("Table 6: both ways, what survives and what does not", () => {
    expect(Findings.of(Table.make(table6))).toEqual([
      "Discrepancy: sensitivity is lower (better) than magnitude by 0.100 ± 0.024 nats (p = 0.010) and PLATON by 0.084 ± 0.030 nats (p = 0.014); no difference survives correction for random (p = 0.101).",
      "MLM loss: sensitivity is lower (better) than magnitude by 0.102 ± 0.038 nats (p = 0.023) and PLATON by 0.087 ± 0.045 nats (p = 0.028); no difference survives correction for random (p = 0.119).",
      "Discrepancy, area: sensitivity is lower (better) than magnitude by 0.102 ± 0.016 nats (p = 0.004) and PLATON by 0.072 ± 0.026 nats (p = 0.014); random is higher (worse) than magnitude by 0.074 ± 0.063 nats (p = 0.037).",
      "No difference from magnitude survives correction in MLM accuracy, Part of speech and Discrepancy, peak.",
      "Every row is tested against magnitude only: the other rows are not compared with each other.",
      "With 3 seeds the exact sign-flip test cannot reach 0.05 (its least is 0.25): the p-values here are the paired t-test's, which takes the differences for normally distributed."
    ])
  })

  it("groups: each says whose it is, percentages differ by points", () => {
    const findings = Findings.of(Table.make(table3))
    expect(findings[0]).toMatch(
      /^189k parameters\. Part of speech: HomoDistil is higher \(better\) than TinyBERT_4 by 2\.2 ± 0\.2 points/
    )
    expect(findings).toContain(
      "340k parameters. No difference from TinyBERT_4 survives correction in Part of speech and Span F1."
    )
  })

  it("runs that diverged, and pairs too few to test", () => {
    const findings = Findings.of(Table.make(awkward))
    expect(findings).toContain('Too few pairs of seeds to test any difference from base, "plain" in KL.')
    expect(findings).toContain("half | seen: 1 of 2 seeds; 1 diverged: seed 11, the loss is infinite at step 30.")
  })

  it("one seed supports nothing", () => {
    expect(Findings.of(of([[1], [2]], 1, "lower"))).toEqual([
      "One seed: the differences have no interval and no test, so they support no order of the rows."
    ])
  })

  it("six seeds can reach .05 by flipping signs, and nothing is said of it", () => {
    const findings = Findings.of(
      of(
        [
          [1, 2, 3, 4, 5, 6],
          [0, 1.1, 2, 3.1, 4, 5]
        ],
        6,
        "lower"
      )
    )
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatch(/^KL: row 1 is lower \(better\) than row 0/)
  })

  it("a row is called better, worse or not different exactly where its corrected p-value says so", () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.integer({ min: 0, max: 30 }).map((n) => n / 10)
    )
    const rows = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.array(value, { minLength: 4, maxLength: 4 })), {
      minLength: 2,
      maxLength: 5
    })
    fc.assert(
      fc.property(rows, fc.constantFrom("lower" as const, "higher" as const), (drawn, better) => {
        const shifted = drawn.map(([shift, noise]) => noise.map((n) => (n === null ? null : 4 * shift + n)))
        const table = of(shifted, 4, better)
        const text = Findings.of(table).find((line) => line.startsWith("KL: ")) ?? ""
        const seen = table.rows.flatMap((row) => {
          const difference = row.cells[0]?.difference ?? null
          return difference !== null && (difference.pHolm ?? 1) < Table.significance ? [{ row, difference }] : []
        })
        expect(text === "").toBe(seen.length === 0)
        if (text === "") return
        const [, ...clauses] = text.replace("KL: ", "; ").split("; ")
        for (const row of table.rows.slice(1)) {
          const difference = row.cells[0]?.difference ?? null
          const named = clauses.filter((clause) => clause.includes(row.name))
          expect(named).toHaveLength(difference === null ? 0 : 1)
          if (difference === null) continue
          const way = difference.mean < 0 ? "lower" : "higher"
          const word = seen.some((each) => each.row === row)
            ? `${way} (${way === better ? "better" : "worse"})`
            : "no difference"
          expect(named[0]).toContain(word)
        }
      })
    )
  })

  it("says nothing of what is neither better nor worse", () => {
    expect(
      Findings.of(
        of(
          [
            [1, 2, 3],
            [0, 1, 2]
          ],
          3,
          "none"
        )
      ).join()
    ).not.toContain("KL")
  })
})
