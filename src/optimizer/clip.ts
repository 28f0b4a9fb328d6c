import { tf } from "../backend/index.ts"

/** Numbers that are added up in a row: a float32 sum of a million squares in one go is wrong in the fourth digit. */
const run = 1024

const sumOfSquares = (gradient: tf.Tensor): tf.Tensor => {
  const squares = tf.reshape(tf.square(gradient), [gradient.size])
  const whole = gradient.size - (gradient.size % run)
  if (whole <= run) return tf.sum(squares)
  const runs = tf.sum(tf.sum(tf.reshape(tf.slice(squares, [0], [whole]), [whole / run, run]), 1))
  return whole === gradient.size ? runs : tf.add(runs, tf.sum(tf.slice(squares, [whole], [gradient.size - whole])))
}

/**
 * Gradients scaled so that their joint Euclidean norm is at most `limit` (Pascanu et al. 2013), as PyTorch's `clip_grad_norm_` does.
 *
 * @example
 * ```ts
 * import { evaluate, tf, Tensor } from "homodistil/backend"
 * import { clipByGlobalNorm } from "homodistil/optimizer"
 * const clipped = await evaluate((g) => clipByGlobalNorm([g], 1)[0] ?? g, Tensor.host([3, 4]))
 * assert.ok(Math.abs((clipped.data[0] ?? 0) - 0.6) < 1e-5)
 * ```
 */
export const clipByGlobalNorm = (gradients: ReadonlyArray<tf.Tensor>, limit: number): ReadonlyArray<tf.Tensor> => {
  if (gradients.length === 0) return []
  const norm = tf.sqrt(tf.addN(gradients.map(sumOfSquares)))
  const factor = tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6)))
  return gradients.map((gradient) => tf.mul(gradient, factor))
}
