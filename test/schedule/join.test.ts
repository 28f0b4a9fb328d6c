import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Schedule } from "homodistil/schedule"

describe("join", () => {
  it("is each schedule from its boundary on", () =>
    fc.assert(
      fc.property(fc.nat({ max: 50 }), fc.integer({ min: 1, max: 50 }), fc.nat({ max: 150 }), (first, gap, step) => {
        const parts = [1, 2, 3].map((slope) => Schedule.linear({ from: 0, to: 1000 * slope, end: 1000 }))
        const joined = Schedule.join(parts, [first, first + gap])
        const expected = step < first ? step : step < first + gap ? 2 * (step - first) : 3 * (step - first - gap)
        assert.closeTo(joined.at(step), expected, 1e-9)
      })
    ))

  it("refuses boundaries that do not rise or are too many", () => {
    const three = [1, 2, 3].map(Schedule.constant)
    assert.throws(() => Schedule.join(three, [5, 5]), /join\.boundaries = \[5,5\]: must be 2 rising steps/)
    assert.throws(() => Schedule.join(three, [5]), /must be 2 rising steps/)
  })
})
