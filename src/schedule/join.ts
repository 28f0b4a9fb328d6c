import * as Schema from "effect/Schema"
import { ConfigError, Options, Spec } from "../spec/index.ts"
import type { Schedule } from "./Schedule.ts"

const Join = Schema.Struct({ boundaries: Schema.Array(Options.Weight) })

/**
 * One schedule after another; each counts its steps from the boundary where it begins.
 *
 * Throws `ConfigError` unless there is one boundary fewer than schedules and they rise.
 *
 * @example
 * ```ts
 * import { Schedule } from "homodistil/schedule"
 * const s = Schedule.join([Schedule.constant(1), Schedule.linear({ from: 1, to: 0, end: 10 })], [100])
 * assert.deepEqual([99, 100, 105, 110].map(s.at), [1, 1, 0.5, 0])
 * ```
 */
export const join = (schedules: ReadonlyArray<Schedule>, boundaries: ReadonlyArray<number>): Schedule => {
  const o = Options.decode("join", Join, { boundaries })
  const rising = boundaries.every((b, i) => i === 0 || b > (boundaries[i - 1] ?? 0))
  if (schedules.length !== boundaries.length + 1 || !rising)
    throw new ConfigError({
      problems: [
        {
          key: "join.boundaries",
          value: JSON.stringify(boundaries),
          bound: `${schedules.length - 1} rising steps`,
          remedy: "give the first step of every schedule but the first"
        }
      ]
    })
  const at = (step: number): number => {
    const reached = boundaries.filter((boundary) => step >= boundary)
    return schedules[reached.length]?.at(step - (reached.at(-1) ?? 0)) ?? Number.NaN
  }
  return { spec: Spec.make("join", { options: o, parts: schedules.map((s) => s.spec) }), at }
}
