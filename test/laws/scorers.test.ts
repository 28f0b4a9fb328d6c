import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { tf } from "homodistil/backend"
import * as Scorer from "homodistil/importance"
import { PeakGradient } from "../../examples/ownScorer.ts"
import * as oracle from "../oracle.ts"
import { runs } from "./random.ts"
import { rejects } from "./rejects.ts"
import { after, history, type ScorerCase, scorerLaws } from "./scorers.ts"

const ofStep = Scorer.sensitivity({ window: 1 })
const [none, impact, impact2] = [
  { param: 0, grad: 0 },
  { param: 1, grad: 1 },
  { param: 2, grad: 2 }
]
const peak: oracle.ScoreOracle = (h) => h.reduce((most, { g }) => Math.max(0.5 * most, Math.abs(g)), 0)

/** Every scorer: a new one joins by one line. */
const table: ReadonlyArray<ScorerCase & { readonly name: string; readonly oracle: oracle.ScoreOracle }> = [
  { name: "magnitude", scorer: Scorer.magnitude(), degree: { param: 1, grad: 0 }, oracle: oracle.magnitude },
  { name: "random", scorer: Scorer.random(), degree: none, oracle: oracle.random },
  { name: "sensitivity of a step", scorer: ofStep, degree: impact, oracle: oracle.sensitivity(1) },
  { name: "sensitivity", scorer: Scorer.sensitivity({ window: 3 }), degree: impact, oracle: oracle.sensitivity(3) },
  { name: "platon", scorer: Scorer.platon({ window: 2 }), degree: impact2, oracle: oracle.platon(2, 0.85, 0.95) },
  {
    name: "platon, window 1",
    scorer: Scorer.platon({ window: 1, beta1: 0.5 }),
    degree: impact2,
    oracle: oracle.platon(1, 0.5, 0.95)
  },
  {
    name: "gradient",
    scorer: Scorer.gradient({ window: 2 }),
    degree: { param: 0, grad: 1 },
    oracle: oracle.gradient(2)
  },
  { name: "fisher", scorer: Scorer.fisher({ window: 2 }), degree: { param: 0, grad: 2 }, oracle: oracle.fisher(2) },
  { name: "taylor", scorer: Scorer.taylor({ window: 3 }), degree: impact2, oracle: oracle.taylor(3) },
  { name: "movement", scorer: Scorer.movement(), degree: impact, oracle: oracle.movement },
  { name: "ema", scorer: Scorer.ema(0.75)(ofStep), degree: impact, oracle: oracle.smoothed(1, 0.75) },
  {
    name: "ema of windows",
    scorer: Scorer.ema(0.75)(Scorer.sensitivity({ window: 2 })),
    degree: impact,
    oracle: oracle.smoothed(2, 0.75)
  },
  { name: "windowMean", scorer: Scorer.windowMean(3)(ofStep), degree: impact, oracle: oracle.sensitivity(3) },
  {
    name: "upperConfidence",
    scorer: Scorer.upperConfidence({ beta1: 0.75, beta2: 0.5 })(ofStep),
    degree: impact2,
    oracle: oracle.platon(1, 0.75, 0.5)
  },
  {
    name: "a scorer of one's own",
    scorer: PeakGradient.make({ fade: 0.5 }),
    degree: { param: 0, grad: 1 },
    oracle: peak
  }
]

describe.each(table)("scorer $name", (subject) => {
  it.each(Object.keys(scorerLaws))("%s", async (law) => scorerLaws[law]?.(subject))

  it("agrees with a plain loop", () =>
    fc.assert(
      fc.asyncProperty(fc.nat({ max: 1e6 }), fc.integer({ min: 1, max: 9 }), async (seed, steps) => {
        const h = history(seed, steps)
        const { scores } = await after(subject.scorer, h)
        scores.data.forEach((score, i) => {
          const seen = h.params.map((param, step) => ({ w: param.data[i] ?? 0, g: h.grads[step]?.data[i] ?? 0 }))
          const expected = subject.oracle(seen, h.noise.data[i] ?? 0)
          assert.isAtMost(
            Math.abs(score - expected),
            1e-5 * Math.max(1e-2, Math.abs(expected)),
            `element ${i}: ${score}, ${expected}`
          )
        })
      }),
      runs
    ))
})

let calls = 0
const bySign = Scorer.define({
  name: "sensitivity without its absolute value",
  slots: ["last"],
  update: (_, { param, grad }) => ({ last: tf.mul(param, grad) }),
  score: ({ last }) => last
})
const scoring = (score: (x: tf.Tensor) => tf.Tensor) =>
  Scorer.define({
    name: "broken",
    slots: ["last"],
    update: (_, { param, grad }) => ({ last: tf.abs(tf.mul(param, grad)) }),
    score: ({ last }) => score(last)
  })
const counted = Scorer.define({
  name: "hidden counter",
  slots: ["last"],
  update: (_, { grad }) => ({ last: tf.mul(tf.abs(grad), ++calls) }),
  score: ({ last }) => last
})
const forgetful = Scorer.define({
  name: "claims to forget",
  slots: ["sum"],
  momentary: true,
  update: ({ sum }, { grad }) => ({ sum: tf.add(sum, tf.abs(grad)) }),
  score: ({ sum }) => sum
})
const undeclared: Scorer.ImportanceScorer = { ...ofStep, slots: ["last", "more"] }

/** Scorers that are wrong, each with the law that must reject it. */
const broken: ReadonlyArray<readonly [law: string, scorer: Scorer.ImportanceScorer]> = [
  ["scoresAreNotNegative", bySign],
  ["memoryIsDeclared", undeclared],
  ["unitsAreAlike", scoring((x) => tf.mul(x, tf.tensor([[1], [2], [3], [4]].slice(0, x.shape[0]))))],
  ["pruningCommutes", scoring((x) => tf.div(x, tf.add(tf.sum(x), 1)))],
  ["noGradientNoScore", scoring((x) => tf.add(x, 1))],
  ["scoresScale", scoring((x) => tf.sqrt(x))],
  ["momentaryForgets", forgetful],
  ["endToEndIsApart", { ...scoring((x) => tf.div(x, tf.add(tf.max(x, -1, true), 1))), elementwise: true }],
  ["compiledIsEager", counted]
]

describe("the laws of scorers", () => {
  it.each(broken)("%s rejects a broken twin", (law, scorer) =>
    rejects(() => scorerLaws[law]?.({ scorer, degree: impact }))
  )

  it("each have a broken twin", () => {
    assert.deepStrictEqual(broken.map(([law]) => law).toSorted(), Object.keys(scorerLaws).toSorted())
  })
})
