import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const Delay = Schema.Struct({ steps: Options.Weight })

/**
 * A schedule that begins later: it stands at its first value for some steps.
 *
 * Throws `ConfigError` when the steps are below 0.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const later = Schedule.delay(5, Schedule.linear({ from: 1, to: 0, end: 10 }))
 * assert.deepEqual([0, 5, 10, 15].map(later.at), [1, 1, 0.5, 0])
 * ```
 */
export const delay = (steps: number, inner: Schedule): Schedule => {
  const o = Options.decode("delay", Delay, { steps })
  return {
    spec: Spec.make("delay", { options: o, parts: [inner.spec] }),
    at: (step) => inner.at(Math.max(0, step - o.steps))
  }
}
