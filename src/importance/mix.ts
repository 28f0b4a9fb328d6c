import { tf } from "../backend/index.ts"

/**
 * From `a` to `b` by a share `rate` in [0, 1]: (1 - rate) a + rate b. At 0 it is exactly `a`, at 1 exactly `b`.
 *
 * @example
 * ```ts
 * import { evaluate, Tensor } from "homodistil/backend"
 * import { mix } from "homodistil/importance"
 * const y = await evaluate((a, b, rate) => mix(a, b, rate), Tensor.host([1]), Tensor.host([3]), Tensor.scalar(0.25))
 * assert.equal(y.data[0], 1.5)
 * ```
 */
export const mix = (a: tf.Tensor, b: tf.Tensor, rate: tf.Tensor): tf.Tensor =>
  tf.add(tf.mul(a, tf.sub(1, rate)), tf.mul(b, rate))
