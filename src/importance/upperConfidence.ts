import * as Schema from "effect/Schema"
import { tf } from "../backend/index.ts"
import { Options } from "../spec/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { mix } from "./mix.ts"
import { wrap } from "./wrap.ts"

/** β₁ and β₂ of PLATON with its defaults, .85 and .95. */
export const Betas = {
  beta1: Options.withDefault(Options.Decay, 0.85),
  beta2: Options.withDefault(Options.Decay, 0.95)
}

const UpperConfidence = Schema.Struct(Betas)

/** β₁, smoothing of the score, and β₂, smoothing of its deviation; .85 and .95 unless given. */
export type UpperConfidenceOptions = typeof UpperConfidence.Encoded

/**
 * A smoothed score times its smoothed deviation: what is important and what is uncertain stays (Zhang et al. 2022, PLATON; paper, §3).
 *
 * Wherever the score I is whole: Ī ← β₁ Ī + (1 - β₁) I, then Ū ← β₂ Ū + (1 - β₂) |I - Ī| with the new Ī; both start at zero and are
 * not corrected for it. The score is Ī Ū, so zero until the first window has ended.
 * Throws `ConfigError` when a β is outside [0, 1).
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.deepEqual(Scorer.upperConfidence()(Scorer.gradient({ window: 1 })).slots, ["mean", "uncertainty"])
 * assert.throws(() => Scorer.upperConfidence({ beta1: 1 }), /upperConfidence\.beta1 = 1/)
 * ```
 */
export const upperConfidence = (options: UpperConfidenceOptions = {}) => {
  const o = Options.decode("upperConfidence", UpperConfidence, options)
  return (inner: ImportanceScorer): ImportanceScorer =>
    wrap(inner, {
      name: "upperConfidence",
      options: o,
      slots: ["mean", "uncertainty"],
      elementwise: true,
      waits: true,
      scalarNames: ["meanRate", "uncertaintyRate"],
      scalars: (_, whole) => ({ meanRate: whole ? 1 - o.beta1 : 0, uncertaintyRate: whole ? 1 - o.beta2 : 0 }),
      update: ({ mean, uncertainty }, observed, { meanRate, uncertaintyRate }) => {
        const smoothed = mix(mean, observed, meanRate)
        const deviation = tf.abs(tf.sub(observed, smoothed))
        return { mean: smoothed, uncertainty: mix(uncertainty, deviation, uncertaintyRate) }
      },
      score: ({ mean, uncertainty }) => tf.mul(mean, uncertainty)
    })
}
