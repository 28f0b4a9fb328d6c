import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const Warmup = Schema.Struct({ steps: Options.Weight })

/**
 * A schedule behind a linear warm-up: its value at step t is multiplied by (t + 1) / steps until that reaches 1.
 *
 * Throws `ConfigError` when the steps are below 0.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * assert.deepEqual([0, 1, 3, 9].map(Schedule.warmup(4, Schedule.constant(8)).at), [2, 4, 8, 8])
 * ```
 */
export const warmup = (steps: number, inner: Schedule): Schedule => {
  const o = Options.decode("warmup", Warmup, { steps })
  return {
    spec: Spec.make("warmup", { options: o, parts: [inner.spec] }),
    at: (step) => inner.at(step) * Math.min(1, (step + 1) / Math.max(1, o.steps))
  }
}
