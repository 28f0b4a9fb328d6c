import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Schedule } from "../schedule/index.ts"
import { ConfigError, type ConfigProblem, Options, Spec } from "../spec/index.ts"

/**
 * The share of units that remain after so many steps, checked: 1 at the start, never rising, within [final, 1], and final from
 * step `ends` on.
 */
export interface CheckedRatio extends Schedule.Schedule {
  /** The ratio at the end of pruning, in (0, 1]. */
  readonly final: number
  /** The first step at which the ratio is final: the last pruning happens here (0 when nothing is ever pruned). */
  readonly ends: number
}

/** How the remaining ratio falls; it becomes a schedule once the number of steps of a run is known. */
export interface RemainingRatio {
  readonly spec: Spec.Spec
  /** The ratio over a run of so many steps. Throws `ConfigError` when it breaks a promise of `CheckedRatio`. */
  readonly over: (steps: number) => CheckedRatio
}

/** The remaining ratio of a run. */
export class RemainingRatioService extends Context.Service<RemainingRatioService, RemainingRatio>()(
  "homodistil/RemainingRatio"
) {}

/** Provides a remaining ratio. */
export const layer = (ratio: RemainingRatio): Layer.Layer<RemainingRatioService> =>
  Layer.succeed(RemainingRatioService, RemainingRatioService.of(ratio))

const Run = Schema.Struct({ steps: Options.Count })

/** What the ratio breaks over a run, one line a promise. */
const broken = (ratio: CheckedRatio, steps: number): ReadonlyArray<ConfigProblem> => {
  const { at, final, ends, spec } = ratio
  const problem = (step: number, bound: string): ConfigProblem => ({
    key: `${spec.name} at step ${step}`,
    value: String(at(step)),
    bound,
    remedy: "a remaining ratio starts at 1, never rises and ends at its final value"
  })
  const found: Array<ConfigProblem> = []
  if (at(0) !== 1) found.push(problem(0, "1"))
  for (let step = 0; step <= Math.max(steps, ends) && found.length < 3; step++) {
    const value = at(step)
    if (!(value >= final && value <= 1)) found.push(problem(step, `within [${final}, 1]`))
    else if (step > 0 && value > at(step - 1)) found.push(problem(step, `at most ${at(step - 1)}, as before`))
    else if (step >= ends && value !== final) found.push(problem(step, `${final}, as from step ${ends} on`))
  }
  return found
}

/**
 * A remaining ratio from a function of the run's steps, checked at every step when the run's length is known.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * import { Spec } from "homodistil/spec"
 * const rising = RemainingRatio.make(Spec.make("rising"), (steps) => ({ at: (t) => 1 + t / steps, final: 1, ends: steps }))
 * assert.throws(() => rising.over(10), /rising at step 1 = 1.1: must be within \[1, 1\]/)
 * ```
 */
export const make = (spec: Spec.Spec, over: (steps: number) => Omit<CheckedRatio, "spec">): RemainingRatio => ({
  spec,
  over: (steps) => {
    const ratio = { spec, ...over(Options.decode(spec.name, Run, { steps }).steps) }
    const problems = broken(ratio, steps)
    if (problems.length > 0) throw new ConfigError({ problems })
    return ratio
  }
})

/**
 * No pruning: every unit remains.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * assert.equal(RemainingRatio.constant().over(100).at(100), 1)
 * ```
 */
export const constant = (): RemainingRatio => make(Spec.make("constant"), () => ({ at: () => 1, final: 1, ends: 0 }))

const Fall = {
  final: Options.Share,
  start: Options.withDefault(Options.Fraction, 0),
  end: Options.withDefault(Options.Fraction, 0.7)
}
const Polynomial = Schema.Struct({ ...Fall, power: Options.withDefault(Options.Positive, 3) })
const Falling = Schema.Struct(Fall)

/** Where the ratio ends (r_f), and between which shares of the run it falls (t_i and t_f; 0 and .7 unless given). */
export type FallOptions = typeof Falling.Encoded

const falling = (name: string, power: number, options: FallOptions, shown: Spec.Spec["options"]): RemainingRatio => {
  const { final, start, end } = Options.decode(name, Falling, options)
  if (start >= end)
    throw new ConfigError({
      problems: [
        { key: `${name}.end`, value: String(end), bound: `above start = ${start}`, remedy: "use for example 0.7" }
      ]
    })
  return make(Spec.make(name, { options: { final, start, end, ...shown } }), (steps) => {
    const [begin, stop] = [start * steps, end * steps]
    const { at } = Schedule.polynomial({ from: 1, to: final, power, begin, end: stop })
    // rounding may leave the interval by one part in 2⁵²
    return { at: (step) => Math.min(1, Math.max(final, at(step))), final, ends: Math.ceil(stop) }
  })
}

/**
 * r_f + (1 - r_f) (1 - (t - t_i) / (t_f - t_i))^power between the steps t_i = start · T and t_f = end · T.
 *
 * Throws `ConfigError` when the final ratio is outside (0, 1], start or end outside [0, 1] or in the wrong order, or the power
 * not positive.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * const ratio = RemainingRatio.polynomial({ final: 0.5, end: 1, power: 2 }).over(10)
 * assert.deepEqual([0, 5, 10].map(ratio.at), [1, 0.625, 0.5])
 * ```
 */
export const polynomial = (options: typeof Polynomial.Encoded): RemainingRatio => {
  const { power, ...fall } = Options.decode("polynomial", Polynomial, options)
  return falling("polynomial", power, fall, { power })
}

/**
 * A straight fall from 1 to the final ratio.
 *
 * Throws `ConfigError` as `polynomial` does.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * assert.equal(RemainingRatio.linear({ final: 0.5, end: 1 }).over(10).at(5), 0.75)
 * ```
 */
export const linear = (options: FallOptions): RemainingRatio => falling("linear", 1, options, {})

/**
 * The paper's cubic fall (paper, §4): fast at first, slow near the final ratio.
 *
 * Throws `ConfigError` as `polynomial` does.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * const ratio = RemainingRatio.cubic({ final: 0.25 }).over(400)
 * assert.deepEqual([ratio.at(0), ratio.at(140), ratio.at(280), ratio.ends], [1, 0.25 + 0.75 / 8, 0.25, 280])
 * assert.throws(() => RemainingRatio.cubic({ final: 0 }), /cubic\.final = 0/)
 * ```
 */
export const cubic = (options: FallOptions): RemainingRatio => falling("cubic", 3, options, {})

/**
 * Everything at once: the final ratio from the first step on.
 *
 * Throws `ConfigError` when the final ratio is outside (0, 1].
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * assert.deepEqual([0, 1, 2].map(RemainingRatio.oneShot({ final: 0.5 }).over(10).at), [1, 0.5, 0.5])
 * ```
 */
export const oneShot = (options: { readonly final: number }): RemainingRatio => {
  const { final } = Options.decode("oneShot", Schema.Struct({ final: Options.Share }), options)
  return make(Spec.make("oneShot", { options: { final } }), () => ({
    at: (step) => (step < 1 ? 1 : final),
    final,
    ends: final === 1 ? 0 : 1
  }))
}

/**
 * A ratio that waits for a share of the run and then falls over what is left of it.
 *
 * Throws `ConfigError` when the share is outside [0, 1) or leaves no step.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * const later = RemainingRatio.delay(0.5, RemainingRatio.linear({ final: 0.5, end: 1 })).over(20)
 * assert.deepEqual([0, 10, 15, 20].map(later.at), [1, 1, 0.75, 0.5])
 * ```
 */
export const delay = (share: number, inner: RemainingRatio): RemainingRatio => {
  const o = Options.decode("delay", Schema.Struct({ share: Options.Decay }), { share })
  return make(Spec.make("delay", { options: o, parts: [inner.spec] }), (steps) => {
    const wait = Math.floor(o.share * steps)
    const { at, final, ends } = inner.over(steps - wait)
    return { at: (step) => (step < wait ? 1 : at(step - wait)), final, ends: ends === 0 ? 0 : wait + ends }
  })
}

/**
 * A ratio that falls only every so many steps, and reaches its final value where it would have without the stairs.
 *
 * Throws `ConfigError` unless `every` is an integer of at least 1.
 *
 * @example
 * ```ts
 * import { RemainingRatio } from "homodistil/pruning"
 * const stairs = RemainingRatio.staircase(4, RemainingRatio.linear({ final: 0.5, end: 1 })).over(10)
 * assert.deepEqual([0, 3, 4, 7, 8, 9, 10].map(stairs.at), [1, 1, 0.8, 0.8, 0.6, 0.6, 0.5])
 * ```
 */
export const staircase = (every: number, inner: RemainingRatio): RemainingRatio => {
  const o = Options.decode("staircase", Schema.Struct({ every: Options.Count }), { every })
  return make(Spec.make("staircase", { options: o, parts: [inner.spec] }), (steps) => {
    const ratio = inner.over(steps)
    const { at } = Schedule.staircase(o.every, ratio)
    return { ...ratio, at: (step) => (step >= ratio.ends ? ratio.final : at(step)) }
  })
}
