import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const Staircase = Schema.Struct({ every: Options.Count })

/**
 * A schedule that moves only every so many steps and stands still between.
 *
 * Throws `ConfigError` unless `every` is an integer of at least 1.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const stairs = Schedule.staircase(5, Schedule.linear({ from: 10, to: 0, end: 10 }))
 * assert.deepEqual([0, 4, 5, 9, 10].map(stairs.at), [10, 10, 5, 5, 0])
 * ```
 */
export const staircase = (every: number, inner: Schedule): Schedule => {
  const o = Options.decode("staircase", Staircase, { every })
  return {
    spec: Spec.make("staircase", { options: o, parts: [inner.spec] }),
    at: (step) => inner.at(Math.floor(step / o.every) * o.every)
  }
}
