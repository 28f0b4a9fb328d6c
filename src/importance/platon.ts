import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { sensitivity } from "./sensitivity.ts"
import { Betas, upperConfidence } from "./upperConfidence.ts"
import { windowMean } from "./windowMean.ts"

const Platon = Schema.Struct({ window: Options.withDefault(Options.Count, 10), ...Betas })

/** ΔT, the window in steps, and β₁ and β₂, the smoothing of sensitivity and uncertainty; 10, .85 and .95 unless given. */
export type PlatonOptions = typeof Platon.Encoded

/**
 * PLATON (Zhang et al. 2022; paper, §3): the sensitivity of each step, averaged over a window, as an upper confidence bound.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * import { Spec } from "homodistil/spec"
 * assert.equal(Spec.describe(Scorer.platon().spec), "platon(window: 10, beta1: 0.85, beta2: 0.95)")
 * ```
 */
export const platon = (options: PlatonOptions = {}): ImportanceScorer => {
  const { window, beta1, beta2 } = Options.decode("platon", Platon, options)
  const composed = upperConfidence({ beta1, beta2 })(windowMean(window)(sensitivity({ window: 1 })))
  // one name for the sentence above; its version is to be raised with that of any part
  return { ...composed, spec: Spec.make("platon", { options: { window, beta1, beta2 } }) }
}
