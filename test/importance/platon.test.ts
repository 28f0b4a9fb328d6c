import { assert, describe, it } from "@effect/vitest"
import { pipe } from "effect/Function"
import * as Scorer from "homodistil/importance"
import { ConfigError } from "homodistil/spec"
import { after, history } from "../laws/scorers.ts"

describe("platon", () => {
  it("is sensitivity, averaged over a window, as an upper confidence bound", async () => {
    const sentence = pipe(
      Scorer.sensitivity({ window: 1 }),
      Scorer.windowMean(3),
      Scorer.upperConfidence({ beta1: 0.85, beta2: 0.95 })
    )
    const h = history(3, 8)
    assert.deepStrictEqual(await after(Scorer.platon({ window: 3 }), h), await after(sentence, h))
  })

  it("with a window of 1 and β₁ = β₂ = 0 has no uncertainty left, so scores 0", async () => {
    const { scores } = await after(Scorer.platon({ window: 1, beta1: 0, beta2: 0 }), history(1, 4))
    assert.isTrue(scores.data.every((score) => score === 0))
  })

  it("with a window of 1 and β₂ = 0 has the closed form Ī |I - Ī|", async () => {
    const h = history(1, 1)
    const { scores } = await after(Scorer.platon({ window: 1, beta1: 0.75, beta2: 0 }), h)
    scores.data.forEach((score, i) => {
      const impact = Math.abs((h.params[0]?.data[i] ?? 0) * (h.grads[0]?.data[i] ?? 0))
      assert.closeTo(score, 0.25 * impact * 0.75 * impact, 1e-6)
    })
  })

  it("scores nothing before its first window has ended", async () => {
    const { scores } = await after(Scorer.platon({ window: 4 }), history(1, 3))
    assert.isTrue(scores.data.every((score) => score === 0))
  })

  it("names every illegal option at once", () => {
    const bad = () => Scorer.platon({ window: 0, beta1: 1, beta2: -1 })
    assert.throws(bad, ConfigError)
    for (const option of ["window = 0", "beta1 = 1", "beta2 = -1"])
      assert.throws(bad, new RegExp(`platon\\.${option}: must be`))
  })
})
