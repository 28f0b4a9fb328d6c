import { ops, tf } from "../backend/index.ts"

/**
 * The mean squared difference of two sets of states, [rows · length, width] each, over the tokens that are no padding.
 *
 * No gradient reaches `b`. `attention` is [rows, length], 1 for a token and 0 for padding; without it every position counts.
 *
 * @example
 * ```ts
 * import { evaluate, Tensor } from "homodistil/backend"
 * import { meanSquare } from "homodistil/loss"
 * const states = [Tensor.host([1, 2, 3, 4], [2, 2]), Tensor.host([1, 0, 9, 9], [2, 2])]
 * const y = await evaluate((a, b, attention) => meanSquare(a, b, attention), ...states, Tensor.host([1, 0], [1, 2]))
 * assert.equal(y.data[0], 2)
 * ```
 */
export const meanSquare = (a: tf.Tensor, b: tf.Tensor, attention: tf.Tensor | undefined): tf.Tensor => {
  if (attention === undefined) return tf.mul(ops.squaredError(a, b), 1 / a.size)
  const squares = tf.squaredDifference(a, b)
  const width = a.shape[1] ?? 1
  const tokens = tf.reshape(attention, [-1, 1])
  return tf.div(tf.sum(tf.mul(squares, tokens)), tf.mul(tf.sum(tokens), width))
}
