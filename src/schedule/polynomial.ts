import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const Ramp = {
  from: Schema.Finite,
  to: Schema.Finite,
  begin: Options.withDefault(Options.Weight, 0),
  end: Options.Weight
}
const Polynomial = Schema.Struct({ ...Ramp, power: Options.Positive })
const Linear = Schema.Struct(Ramp)

/** A way between two numbers: `from` before step `begin` (0 unless given), `to` from step `end` on; steps may be fractions. */
export type LinearOptions = typeof Linear.Encoded

/** A ramp and the exponent of what is left of it. */
export type PolynomialOptions = typeof Polynomial.Encoded

/** The share of the way from `begin` to `end` that is still ahead, in [0, 1]. */
export const ahead = (step: number, begin: number, end: number): number =>
  step >= end ? 0 : step <= begin ? 1 : 1 - (step - begin) / (end - begin)

/**
 * to + (from - to) (1 - (t - begin) / (end - begin))^power between `begin` and `end` (paper.md §4 with power 3; Zhu & Gupta 2017).
 *
 * Throws `ConfigError` when a number is not finite, a step below 0 or the power not positive.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const ratio = Schedule.polynomial({ from: 1, to: 0.2, power: 3, end: 100 })
 * assert.deepEqual([0, 50, 100, 500].map(ratio.at), [1, 0.2 + 0.8 / 8, 0.2, 0.2])
 * ```
 */
export const polynomial = (options: PolynomialOptions): Schedule => {
  const o = Options.decode("polynomial", Polynomial, options)
  const at = (step: number): number => {
    const rest = ahead(step, o.begin, o.end)
    return rest === 1 ? o.from : o.to + (o.from - o.to) * rest ** o.power
  }
  return { spec: Spec.make("polynomial", { options: o }), at }
}

/**
 * A straight line between two numbers: `polynomial` with power 1.
 *
 * Throws `ConfigError` as `polynomial` does.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * assert.deepEqual([0, 5, 20].map(Schedule.linear({ from: 2, to: 0, end: 10 }).at), [2, 1, 0])
 * ```
 */
export const linear = (options: LinearOptions): Schedule =>
  polynomial({ ...Options.decode("linear", Linear, options), power: 1 })
