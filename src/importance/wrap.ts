import { tf } from "../backend/index.ts"
import { type JsonObject, Spec } from "../spec/index.ts"
import { need, type TensorsBy } from "./define.ts"
import type { ImportanceScorer, Slots } from "./ImportanceScorer.ts"

/** What a scorer that smooths another one is made of. */
export interface Wrapping<Slot extends string, Scalar extends string> {
  readonly name: string
  readonly version?: number
  readonly options: JsonObject
  readonly slots: ReadonlyArray<Slot>
  readonly scalarNames: ReadonlyArray<Scalar>
  /** Host numbers of a step; `whole` says whether the wrapped score is complete after it. */
  readonly scalars: (step: number, whole: boolean) => { readonly [N in Scalar]: number }
  /** The own slots after a step that scored `observed`. */
  readonly update: (slots: TensorsBy<Slot>, observed: tf.Tensor, scalars: TensorsBy<Scalar>) => TensorsBy<Slot>
  readonly score: (slots: TensorsBy<Slot>) => tf.Tensor
  /** Whether every weight is treated alone; false unless given. */
  readonly elementwise?: boolean
  /** Whether it remembers nothing before the wrapped score is whole for the first time; false unless given. */
  readonly waits?: boolean
  /** After which steps the score is whole; as the wrapped one unless given. */
  readonly completes?: (step: number) => boolean
}

/** Names of the wrapped scorer stand behind this, so that a wrapper may wrap another of its kind. */
const inside = "inner."

const inward = <A>(record: { readonly [name: string]: A }): { readonly [name: string]: A } =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) =>
      name.startsWith(inside) ? [[name.slice(inside.length), value]] : []
    )
  )

const outward = <A>(record: { readonly [name: string]: A }): { readonly [name: string]: A } =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [inside + name, value]))

const noNoise = (): tf.Tensor => {
  throw new RangeError("random scores are drawn when units are pruned; they cannot be averaged over steps")
}

/** After how many steps a score is whole for the first time; never, as far as anybody trains, is Infinity. */
const firstWhole = ({ begins = 1, completes = () => true }: ImportanceScorer): number => {
  for (let steps = begins; steps <= 1e7; steps++) if (completes(steps - 1)) return steps
  return Infinity
}

/**
 * A scorer that watches the scores of another one step by step and remembers something of them.
 *
 * Slots and scalars of the inner scorer are called `inner.<name>`; what an inner scorer keeps of the last step alone is not kept.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * const twice = Scorer.windowMean(5)(Scorer.windowMean(10)(Scorer.sensitivity({ window: 1 })))
 * assert.deepEqual(twice.slots, ["mean", "inner.mean"])
 * ```
 */
export const wrap = <Slot extends string, Scalar extends string>(
  inner: ImportanceScorer,
  own: Wrapping<Slot, Scalar>
): ImportanceScorer => {
  const whole = inner.completes ?? (() => true)
  const kept = inner.momentary === true ? [] : inner.slots
  const before = (slots: Slots, param: tf.Tensor): Slots =>
    inner.momentary === true
      ? Object.fromEntries(inner.slots.map((slot) => [slot, tf.zerosLike(param)]))
      : inward(slots)
  return {
    spec: Spec.make(own.name, { version: own.version ?? 1, options: own.options, parts: [inner.spec] }),
    elementwise: own.elementwise === true && inner.elementwise === true,
    slots: [...own.slots, ...kept.map((slot) => inside + slot)],
    scalars: (step) => ({ ...own.scalars(step, whole(step)), ...outward(inner.scalars(step)) }),
    update: (slots, { param, grad, scalars }) => {
      const held = inner.update(before(slots, param), { param, grad, scalars: inward(scalars) })
      const observed = inner.score(held, { param, noise: noNoise })
      return {
        ...own.update(need(own.slots, slots), observed, need(own.scalarNames, scalars)),
        ...(inner.momentary === true ? {} : outward(held))
      }
    },
    score: (slots) => own.score(need(own.slots, slots)),
    begins: own.waits === true ? firstWhole(inner) : (inner.begins ?? 1),
    completes: own.completes ?? whole
  }
}
