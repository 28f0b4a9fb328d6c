import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const LinearDecay = Schema.Struct({
  peak: Options.Positive,
  steps: Options.Count,
  warmup: Options.withDefault(Options.Count, 300),
  floor: Options.withDefault(Options.Fraction, 0.01)
})

/** The highest rate, the steps of the run, the steps that warm up (300 unless given), and the share of the peak it never falls below (.01). */
export type LinearDecayToFloorOptions = typeof LinearDecay.Encoded

/**
 * The learning rate of pre-training: a linear rise over so many steps, capped by a linear fall from the first step to the last
 * that stops at a floor: peak · min((t + 1) / warmup, max(floor, 1 - t / T)).
 *
 * Throws `ConfigError` when the peak is not positive, steps or warm-up are below 1, or the floor outside [0, 1].
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const rate = Schedule.linearDecayToFloor({ peak: 1, steps: 10, warmup: 2, floor: 0.1 })
 * assert.deepEqual([0, 1, 5, 10, 99].map(rate.at), [0.5, 0.9, 0.5, 0.1, 0.1])
 * ```
 */
export const linearDecayToFloor = (options: LinearDecayToFloorOptions): Schedule => {
  const o = Options.decode("linearDecayToFloor", LinearDecay, options)
  return {
    spec: Spec.make("linearDecayToFloor", { options: o }),
    at: (step) => o.peak * Math.min((step + 1) / o.warmup, Math.max(o.floor, 1 - step / o.steps))
  }
}
