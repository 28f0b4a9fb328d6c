import * as tf from "@tensorflow/tfjs-core"

/** The modulus of dropout's small-integer arithmetic: a prime whose square still fits float32's exact integers. */
export const dropoutModulus = 4093

/**
 * Random integers below `dropoutModulus` that decide one dropout site: a factor and a summand for each row and each column.
 */
export interface DropoutDraws {
  /** [rows, 2], float32 */
  readonly rows: tf.Tensor
  /** [2, columns], float32 */
  readonly columns: tf.Tensor
}

/**
 * Dropout with a counter-based mask that costs the host only rows + columns numbers.
 *
 * Entry (i, j) is kept where (aᵢ bⱼ + cᵢ + dⱼ) mod 4093 ≥ rate · 4093: every entry is uniform (to 2 · 10⁻⁴: float32 cannot tell a remainder of 4092 from -1), any two are independent, and the
 * arithmetic is exact in float32, so each backend drops the same entries. Kept entries are scaled by 1 / (1 - rate).
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * // (aᵢ bⱼ + cᵢ + dⱼ) mod 4093 is 0 and 4092, on either side of the threshold
 * const draws = [Tensor.host([1, 0], [1, 2]), Tensor.host([0, 4092, 0, 0], [2, 2])]
 * const text = ops.dropout
 * const y = await evaluate((x, rows, columns) => text(x, 0.5, { rows: rows ?? x, columns: columns ?? x }), Tensor.host([1, 1], [1, 2]), ...draws)
 * assert.deepEqual([...y.data], [0, 2])
 * ```
 */
export const dropout = (x: tf.Tensor, rate: number, draws: DropoutDraws): tf.Tensor => {
  if (rate === 0) return x
  const columns = x.shape[x.shape.length - 1] ?? 1
  const flat = tf.reshape(x, [-1, columns])
  const [factor, summand] = tf.split(draws.rows, 2, 1)
  const [times, plus] = tf.split(draws.columns, 2, 0)
  if (factor === undefined || summand === undefined || times === undefined || plus === undefined)
    throw new RangeError("dropout draws hold two numbers for each row and column")
  const mixed = tf.add(tf.add(tf.mul(factor, times), summand), plus)
  const rest = tf.sub(mixed, tf.mul(tf.floor(tf.mul(mixed, 1 / dropoutModulus)), dropoutModulus))
  const kept = tf.cast(tf.greaterEqual(rest, rate * dropoutModulus), "float32")
  return tf.reshape(tf.mul(flat, tf.mul(kept, 1 / (1 - rate))), x.shape)
}
