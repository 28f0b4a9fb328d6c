import * as fc from "fast-check"
import { LearningRate } from "homodistil/distill"
import { assert, it } from "vitest"

it("rises to its peak, falls to nothing, and is never negative, whatever the length of the run", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
      (steps, warmup) => {
        const rate = LearningRate.linearDecay({ peak: 0.5, warmup }).over(steps)
        const values = Array.from({ length: steps + 1 }, (_, step) => rate.at(step))
        // where the warm-up ends between two steps, its last step lies up to one step's fall above the peak
        const top = 0.5 * (1 + 1 / Math.max(1, steps - warmup * steps))
        assert.isTrue(values.every((value) => value >= 0 && value <= top))
        const whole = LearningRate.linearDecay({ peak: 0.5, warmup: Math.floor(warmup * steps) / steps }).over(steps)
        if (Number.isInteger((Math.floor(warmup * steps) / steps) * steps))
          assert.isAtMost(Math.max(...values.map((_, step) => whole.at(step))), 0.5)
        assert.strictEqual(values[steps], 0)
      }
    )
  ))

it("refuses a peak that is not positive", () => {
  assert.throws(() => LearningRate.linearDecay({ peak: 0, warmup: 0.1 }), /peak = 0/)
})
