import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { clipFactor } from "homodistil/optimizer"

const gradients = fc.array(
  fc.integer({ min: -640, max: 640 }).map((n) => n / 64),
  { minLength: 1, maxLength: 12 }
)
const limits = fc.constantFrom(0.01, 1, 5, 1000)
const squares = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x * x, 0)

describe("clipping by the global norm", () => {
  it("brings a gradient's norm to the limit, or leaves it alone", () =>
    fc.assert(
      fc.property(gradients, limits, (gradient, limit) => {
        const factor = clipFactor(squares(gradient), limit)
        const norm = Math.hypot(...gradient.map((g) => factor * g))
        const before = Math.hypot(...gradient)
        // as PyTorch does: a norm that is next to the limit is scaled by a hair
        if (before <= limit - 1e-6) assert.strictEqual(factor, 1)
        else assert.isTrue(norm <= limit && norm >= limit * (1 - 2e-6 / before))
      })
    ))

  it("takes a gradient that is zero, and passes on one that is no number", () => {
    assert.strictEqual(clipFactor(0, 1), 1)
    assert.isNaN(clipFactor(Number.NaN, 1))
    // infinite entries times 0 are no numbers either: a run that has diverged does not look healthy
    assert.strictEqual(clipFactor(Infinity, 1), 0)
  })
})
