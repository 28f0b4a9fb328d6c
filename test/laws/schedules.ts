import { assert } from "@effect/vitest"
import * as fc from "fast-check"
import type { RemainingRatio } from "homodistil/pruning"
import type { Schedule } from "homodistil/schedule"
import { Spec } from "homodistil/spec"

/** A law of schedules: fails where the schedule breaks it. */
export type ScheduleLaw = (schedule: Schedule.Schedule) => void

/** A law of remaining ratios: fails where the ratio breaks it over some run. */
export type RatioLaw = (ratio: RemainingRatio.RemainingRatio) => void

const step = fc.nat({ max: 500 })

/** A schedule is a finite number at every step, and the same one whenever it is asked. */
export const isPure: ScheduleLaw = ({ at }) =>
  fc.assert(
    fc.property(step, step, (t, other) => {
      const value = at(t)
      at(other)
      assert.isTrue(Number.isFinite(value), `${value} at step ${t}`)
      assert.strictEqual(at(t), value)
    })
  )

/** Its spec survives JSON. */
export const specIsJson: ScheduleLaw = ({ spec }) =>
  assert.deepStrictEqual(JSON.parse(JSON.stringify(Spec.toJson(spec))), Spec.toJson(spec))

/** All laws of schedules, by name. */
export const scheduleLaws: { readonly [law: string]: ScheduleLaw } = { isPure, specIsJson }

const forRuns = (
  ratio: RemainingRatio.RemainingRatio,
  check: (r: RemainingRatio.CheckedRatio, t: number) => void
): void =>
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 500 }), fc.nat({ max: 600 }), (steps, t) => check(ratio.over(steps), t)),
    { numRuns: 60 }
  )

/** Everything remains at the start. */
export const startsWhole: RatioLaw = (ratio) => forRuns(ratio, ({ at }) => assert.strictEqual(at(0), 1))

/** The ratio never rises. */
export const neverRises: RatioLaw = (ratio) => forRuns(ratio, ({ at }, t) => assert.isAtMost(at(t + 1), at(t)))

/** The ratio stays between its final value and 1. */
export const staysWithin: RatioLaw = (ratio) =>
  forRuns(ratio, ({ at, final }, t) =>
    assert.isTrue(at(t) >= final && at(t) <= 1 && final > 0, `${at(t)} at step ${t}`)
  )

/** From step `ends` on, and never before, the ratio is final. */
export const endsFinal: RatioLaw = (ratio) =>
  forRuns(ratio, ({ at, final, ends }, t) => {
    assert.strictEqual(at(ends + t), final)
    if (ends > 0) assert.isAbove(at(ends - 1), final)
  })

/** All laws of remaining ratios, by name. */
export const ratioLaws: { readonly [law: string]: RatioLaw } = { startsWhole, neverRises, staysWithin, endsFinal }
