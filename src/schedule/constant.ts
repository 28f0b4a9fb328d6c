import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

/**
 * The same number at every step.
 *
 * Throws `ConfigError` when it is not finite.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * assert.equal(Schedule.constant(0.5).at(1000), 0.5)
 * ```
 */
export const constant = (value: number): Schedule => {
  const o = Options.decode("constant", Schema.Struct({ value: Schema.Finite }), { value })
  return { spec: Spec.make("constant", { options: o }), at: () => o.value }
}
