import { tf } from "../backend/index.ts"
import { Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"

/** The least square of a length that is divided by. */
const smallestSquare = 1e-12

/** The cosine of each row of `a` with that of `b`, [tokens]. */
const cosines = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => {
  const squares = (x: tf.Tensor): tf.Tensor => tf.maximum(tf.sum(tf.square(x), -1), smallestSquare)
  return tf.mul(tf.sum(tf.mul(a, b), -1), tf.mul(tf.rsqrt(squares(a)), tf.rsqrt(squares(b))))
}

/**
 * One minus the cosine between the last hidden states of student and teacher, averaged over the tokens that are no padding
 * (DistilBERT: Sanh et al. 2019, §3; paper, §7); term `cosine`.
 *
 * The student's states go through the projection of its last layer; with `Projection.none` they are compared as they are. Depths may
 * differ.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.cosine().taps, ["hidden"])
 * ```
 */
export const cosine = (): DistillationLoss => ({
  spec: Spec.make("cosine"),
  taps: ["hidden"],
  terms: ["cosine"],
  apply: ({ student, teacher, attention, projections }) => {
    const last = student.hidden.length - 1
    const [states, target] = [student.hidden[last], teacher.hidden.at(-1)]
    if (states === undefined || target === undefined)
      throw new RangeError("the cosine is that of a last layer; there is none")
    const distance = tf.sub(1, cosines(projections.hidden(states, last), target))
    if (attention === undefined) return term("cosine", tf.mean(distance))
    const tokens = tf.reshape(attention, [-1])
    return term("cosine", tf.div(tf.sum(tf.mul(distance, tokens)), tf.sum(tokens)))
  }
})
