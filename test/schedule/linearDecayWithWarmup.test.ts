import { assert, describe, it } from "@effect/vitest"
import { Schedule } from "homodistil/schedule"

describe("linearDecayWithWarmup", () => {
  it("gives the learning rates of a run of 400 steps that warms up for 20", () => {
    const { at } = Schedule.linearDecayWithWarmup({ peak: 3e-3, steps: 400, warmup: 0.05 })
    const expected: ReadonlyArray<readonly [number, number]> = [
      [0, 1.5e-4],
      [9, 1.5e-3],
      [19, 3e-3],
      [20, 3e-3],
      [210, 1.5e-3],
      [399, 3e-3 / 380],
      [400, 0],
      [500, 0]
    ]
    for (const [step, rate] of expected) assert.closeTo(at(step), rate, 1e-12)
  })

  it("can do without a warm-up", () => {
    const { at } = Schedule.linearDecayWithWarmup({ peak: 1, steps: 4, warmup: 0 })
    assert.deepStrictEqual([0, 1, 2, 3, 4].map(at), [1, 0.75, 0.5, 0.25, 0])
  })

  it("names every illegal option at once", () => {
    const bad = () => Schedule.linearDecayWithWarmup({ peak: 0, steps: 0, warmup: 2 })
    for (const key of ["peak = 0", "steps = 0", "warmup = 2"])
      assert.throws(bad, new RegExp(`linearDecayWithWarmup\\.${key}: must be`))
  })
})
