import { tf } from "../backend/index.ts"
import { Spec } from "../spec/index.ts"
import { type DistillationLoss, inSetting, type LossValue } from "./DistillationLoss.ts"

/**
 * The sum of losses: totals add up, and so do terms of the same name.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * const both = Loss.sum(Loss.maskedLm(), Loss.kl())
 * assert.deepEqual([both.taps, both.terms], [["logits"], ["mlm", "kl"]])
 * ```
 */
export const sum = (...losses: ReadonlyArray<DistillationLoss>): DistillationLoss => ({
  spec: Spec.make("sum", { parts: losses.map((loss) => loss.spec) }),
  taps: [...new Set(losses.flatMap((loss) => loss.taps))],
  terms: [...new Set(losses.flatMap((loss) => loss.terms))],
  teacherFree: losses.every((loss) => loss.teacherFree === true),
  inSetting: (setting) => sum(...losses.map((loss) => inSetting(loss, setting))),
  apply: (input) => losses.map((loss) => loss.apply(input)).reduce(plus, zero())
})

const zero = (): LossValue => ({ total: tf.scalar(0), terms: {} })

const plus = (a: LossValue, b: LossValue): LossValue => {
  const names = [...new Set([...Object.keys(a.terms), ...Object.keys(b.terms)])]
  return {
    total: tf.add(a.total, b.total),
    terms: Object.fromEntries(
      names.map((name) => {
        const [x, y] = [a.terms[name], b.terms[name]]
        return [name, x === undefined ? (y ?? tf.scalar(0)) : y === undefined ? x : tf.add(x, y)]
      })
    )
  }
}

/** The loss that is always 0 and looks at nothing: what `sum` of nothing is. */
export const none: DistillationLoss = { spec: Spec.make("none"), taps: [], terms: [], teacherFree: true, apply: zero }
