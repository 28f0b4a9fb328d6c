import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import { ahead } from "./polynomial.ts"
import type { Schedule } from "./Schedule.ts"

const Cosine = Schema.Struct({
  from: Schema.Finite,
  to: Schema.Finite,
  begin: Options.withDefault(Options.Weight, 0),
  end: Options.Weight
})

/** A way between two numbers, slow at both ends. */
export type CosineOptions = typeof Cosine.Encoded

/**
 * Half a cosine wave from one number to another (Loshchilov & Hutter 2017).
 *
 * Throws `ConfigError` when a number is not finite or a step below 0.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * assert.deepEqual([0, 100].map(Schedule.cosine({ from: 1, to: 0.5, end: 100 }).at), [1, 0.5])
 * ```
 */
export const cosine = (options: CosineOptions): Schedule => {
  const o = Options.decode("cosine", Cosine, options)
  const at = (step: number): number =>
    o.to + ((o.from - o.to) * (1 - Math.cos(Math.PI * ahead(step, o.begin, o.end)))) / 2
  return { spec: Spec.make("cosine", { options: o }), at }
}
