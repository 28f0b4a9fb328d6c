import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Spread from "../../bench/Spread.ts"

const times = fc.array(fc.double({ min: 0.1, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 20 })

describe("Spread", () => {
  it("has as many values below its median as above", () => {
    fc.assert(
      fc.property(times, (values) => {
        const { median, least, most } = Spread.of(values)
        expect(values.filter((x) => x < median).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((x) => x > median).length).toBeLessThanOrEqual(values.length / 2)
        expect([least, most]).toEqual([Math.min(...values), Math.max(...values)])
      })
    )
  })

  it("compares round by round: what slows both sides of a round does not show", () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0.5, max: 2, noNaN: true }), (rounds, ratio) => {
        const { least, most } = Spread.faster(
          rounds,
          rounds.map((ms) => ms * ratio)
        )
        expect(least).toBeCloseTo(ratio, 9)
        expect(most).toBeCloseTo(ratio, 9)
      })
    )
  })

  it("is not a number where nothing was measured", () => {
    expect(Spread.median([])).toBeNaN()
    expect(Spread.faster([1, 2], []).median).toBeNaN()
  })
})
