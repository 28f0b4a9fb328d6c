import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Spec } from "homodistil/spec"
import * as Scorer from "homodistil/importance"
import { after, history } from "../laws/scorers.ts"

const ofStep = Scorer.sensitivity({ window: 1 })

describe("scorers inside scorers", () => {
  it("never share a name, however they are nested", () => {
    const nested = Scorer.upperConfidence()(
      Scorer.windowMean(2)(Scorer.upperConfidence()(Scorer.windowMean(3)(Scorer.movement())))
    )
    for (const names of [nested.slots, Object.keys(nested.scalars(0))]) assert.lengthOf(new Set(names), names.length)
    assert.deepStrictEqual(nested.slots, [
      "mean",
      "uncertainty",
      "inner.mean",
      "inner.inner.mean",
      "inner.inner.uncertainty",
      "inner.inner.inner.mean",
      "inner.inner.inner.inner.moved"
    ])
  })

  it("compute what a loop over both computes", async () => {
    const h = history(5, 7)
    const { scores } = await after(Scorer.windowMean(4)(Scorer.windowMean(3)(ofStep)), h)
    scores.data.forEach((score, i) => {
      const impact = h.params.map((param, step) => Math.abs((param.data[i] ?? 0) * (h.grads[step]?.data[i] ?? 0)))
      const mean = (xs: ReadonlyArray<number>) => xs.reduce((sum, x) => sum + x, 0) / xs.length
      const inner = impact.map((_, step) => mean(impact.slice(Math.floor(step / 3) * 3, step + 1)))
      assert.closeTo(score, mean(inner.slice(4)), 1e-5)
    })
  })

  it("wait for the innermost window", async () => {
    const scorer = Scorer.ema(0.5)(Scorer.ema(0.5)(Scorer.sensitivity({ window: 3 })))
    assert.deepStrictEqual(
      [0, 1, 2, 3, 4, 5].map((step) => scorer.completes?.(step)),
      [false, false, true, false, false, true]
    )
    const early = await after(scorer, history(1, 2))
    assert.isTrue(early.scores.data.every((score) => score === 0))
  })

  it("begin to score when the innermost window has ended, and say so", () => {
    const kinds = [
      (window: number) => Scorer.platon({ window }),
      (window: number) => Scorer.ema(0.5)(Scorer.windowMean(window)(ofStep)),
      (window: number) => Scorer.ema(0.5)(Scorer.windowMean(2)(Scorer.platon({ window }))),
      (window: number) => Scorer.windowMean(3)(Scorer.ema(0.9)(Scorer.sensitivity({ window }))),
      (window: number) => Scorer.sensitivity({ window })
    ]
    return fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        async (of, window, seed) => {
          const scorer = of(window)
          const begins = scorer.begins ?? 1
          const scored = async (steps: number) =>
            (await after(scorer, history(seed, steps))).scores.data.some((s) => s > 0)
          if (begins > 1) assert.isFalse(await scored(begins - 1))
          assert.isTrue(await scored(begins))
        }
      ),
      { numRuns: 40 }
    )
  })

  it("keep nothing of scores of single steps", () => {
    assert.deepStrictEqual(Scorer.windowMean(10)(ofStep).slots, ["mean"])
    assert.lengthOf(Scorer.platon().slots, 3)
  })

  it("say what they are made of", () => {
    const scorer = Scorer.ema(0.9)(Scorer.windowMean(5)(Scorer.magnitude()))
    assert.strictEqual(Spec.describe(scorer.spec), "ema(beta: 0.9, windowMean(window: 5, magnitude))")
  })

  it("refuse random scores, which there are none of between prunings", async () => {
    const outcome = await after(Scorer.windowMean(2)(Scorer.random()), history(1, 2)).then(String, String)
    assert.match(outcome, /random scores are drawn when units are pruned/)
  })
})
