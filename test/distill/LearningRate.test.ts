import * as fc from "fast-check"
import { LearningRate } from "homodistil/distill"
import { assert, it } from "vitest"

it("rises to its peak, falls to nothing, and is never negative, whatever the length of the run", () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, warmup) => {
      const rate = LearningRate.linearDecay({ peak: 0.5, warmup }).over(steps)
      const values = Array.from({ length: steps + 1 }, (_, step) => rate.at(step))
      assert.isTrue(values.every((value) => value >= 0 && value <= 0.5))
      assert.strictEqual(values[steps], 0)
    })
  ))

it("refuses a peak that is not positive", () => {
  assert.throws(() => LearningRate.linearDecay({ peak: 0, warmup: 0.1 }), /peak = 0/)
})
