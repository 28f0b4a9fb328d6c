import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { RemainingRatio, RemainingRatioService } from "homodistil/pruning"
import * as oracle from "../oracle.ts"

describe("RemainingRatio", () => {
  it("falls as the paper's formula says", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 49 }),
        fc.integer({ min: 50, max: 100 }),
        fc.nat({ max: 3000 }),
        (steps, final, start, end, t) => {
          const [r, ti, tf] = [final / 100, start / 100, end / 100]
          const { at } = RemainingRatio.cubic({ final: r, start: ti, end: tf }).over(steps)
          assert.closeTo(at(t), oracle.cubicRatio(t, steps, r, ti, tf), 1e-12)
        }
      )
    ))

  it("refuses what is no ratio, everything at once", () => {
    const bad = () => RemainingRatio.cubic({ final: 0, start: -1, end: 2 })
    for (const option of ["final = 0", "start = -1", "end = 2"])
      assert.throws(bad, new RegExp(`cubic\\.${option}: must be`))
    assert.throws(
      () => RemainingRatio.linear({ final: 0.5, start: 0.8, end: 0.7 }),
      /linear\.end = 0\.7: must be above start = 0\.8/
    )
    assert.throws(() => RemainingRatio.oneShot({ final: 1.5 }), /oneShot\.final = 1\.5/)
    assert.throws(() => RemainingRatio.delay(1, RemainingRatio.constant()), /delay\.share = 1/)
    assert.throws(() => RemainingRatio.cubic({ final: 0.5 }).over(0), /cubic\.steps = 0/)
  })

  it("is provided by its layer", async () => {
    const ratio = RemainingRatio.oneShot({ final: 0.5 })
    const provided = Effect.provide(RemainingRatioService, RemainingRatio.layer(ratio))
    assert.strictEqual(await Effect.runPromise(provided), ratio)
  })
})
