import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const LinearDecay = Schema.Struct({
  peak: Options.Positive,
  steps: Options.Count,
  warmup: Options.withDefault(Options.Fraction, 0.05)
})

/** The highest learning rate, the steps of the run, and the share of them that warms up (.05 unless given). */
export type LinearDecayOptions = typeof LinearDecay.Encoded

/**
 * The learning rate of a run: a linear rise to `peak`, then a linear fall to 0 at the end.
 *
 * With T steps of which w = warmup · T warm up: peak · min((t + 1) / max(1, w), max(0, (T - t) / max(1, T - w))).
 * Throws `ConfigError` when the peak is not positive, the steps below 1 or the warm-up outside [0, 1].
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const rate = Schedule.linearDecayWithWarmup({ peak: 1, steps: 10, warmup: 0.2 })
 * assert.deepEqual([0, 1, 2, 6, 10].map(rate.at), [0.5, 1, 1, 0.5, 0])
 * ```
 */
export const linearDecayWithWarmup = (options: LinearDecayOptions): Schedule => {
  const o = Options.decode("linearDecayWithWarmup", LinearDecay, options)
  const warm = o.warmup * o.steps
  return {
    spec: Spec.make("linearDecayWithWarmup", { options: o }),
    at: (step) =>
      o.peak * Math.min((step + 1) / Math.max(1, warm), Math.max(0, (o.steps - step) / Math.max(1, o.steps - warm)))
  }
}
