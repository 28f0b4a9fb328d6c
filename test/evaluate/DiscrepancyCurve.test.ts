import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { DiscrepancyCurve } from "../../src/evaluate/index.ts"

const points = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 9, noNaN: true })), {
    minLength: 2,
    maxLength: 9
  })
  .map((gaps) => {
    let step = 0
    return gaps.map(([gap, discrepancy], i) => ({ step: i === 0 ? 0 : (step += gap), discrepancy }))
  })

describe("DiscrepancyCurve", () => {
  it("has as its area the mean over the steps, each with the discrepancy measured next", () => {
    fc.assert(
      fc.property(points, (curve) => {
        const last = curve.at(-1)?.step ?? 0
        let sum = 0
        for (let step = 1; step <= last; step++)
          sum += curve.find((point) => point.step >= step)?.discrepancy ?? Number.NaN
        assert.closeTo(DiscrepancyCurve.area(curve), sum / last, 1e-9)
      })
    )
  })

  it("has its area between the smallest and the largest value after the start, and the start in neither area nor peak", () => {
    fc.assert(
      fc.property(points, (curve) => {
        const values = curve.slice(1).map((point) => point.discrepancy)
        assert.isAtLeast(DiscrepancyCurve.area(curve), Math.min(...values) - 1e-9)
        assert.isAtMost(DiscrepancyCurve.area(curve), DiscrepancyCurve.peak(curve) + 1e-9)
        assert.strictEqual(DiscrepancyCurve.peak(curve), Math.max(...values))
        const other = [{ step: 0, discrepancy: 1e6 }, ...curve.slice(1)]
        assert.strictEqual(DiscrepancyCurve.area(other), DiscrepancyCurve.area(curve))
      })
    )
  })

  it("of a lone point is that point, and of none a defect", () => {
    const lone = [{ step: 7, discrepancy: 2 }]
    assert.deepStrictEqual(
      [DiscrepancyCurve.final(lone), DiscrepancyCurve.area(lone), DiscrepancyCurve.peak(lone)],
      [2, 2, 2]
    )
    assert.throws(() => DiscrepancyCurve.final([]), RangeError)
  })
})
