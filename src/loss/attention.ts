import * as Schema from "effect/Schema"
import { ops, tf } from "../backend/index.ts"
import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"
import { overLayers, Reduce } from "./overLayers.ts"

const Attention = Schema.Struct({
  scale: Options.withDefault(Schema.Literals(["raw", "teacherVariance"]), "teacherVariance"),
  reduce: Reduce
})

/**
 * Whether errors of attention scores stay as they are (`raw`, the paper) or are measured in units of each head's teacher score
 * variance (`teacherVariance`, the micro setting: some heads' scores are a hundred times larger than others'), and whether layers are
 * averaged (micro) or summed (paper).
 */
export type AttentionOptions = typeof Attention.Encoded

/** A variance below this is that of a head without any preference. */
const smallestVariance = 1e-12

/** How many entries count, and sums over those of each head: padding is excluded on both sides. */
const validEntries = ([rows = 1, heads = 1, length = 1]: ReadonlyArray<number>, attention: tf.Tensor | undefined) => {
  if (attention === undefined)
    return { count: tf.scalar(rows * length * length), heads, sum: ops.sumByHead, squaredError: ops.squaredErrorByHead }
  const valid = tf.mul(tf.reshape(attention, [rows, 1, length, 1]), tf.reshape(attention, [rows, 1, 1, length]))
  const sum = (x: tf.Tensor): tf.Tensor => tf.sum(tf.mul(x, valid), [0, 2, 3])
  return {
    count: tf.sum(valid),
    heads,
    sum,
    squaredError: (x: tf.Tensor, t: tf.Tensor) => sum(tf.squaredDifference(x, t))
  }
}

/** The mean squared error of one layer's scores, [rows, heads, length, length] each. */
const compare = (
  x: tf.Tensor,
  t: tf.Tensor,
  attention: tf.Tensor | undefined,
  scale: "raw" | "teacherVariance"
): tf.Tensor => {
  const { count, heads, sum, squaredError } = validEntries(x.shape, attention)
  const error = tf.div(squaredError(x, t), count)
  if (scale === "raw") return tf.mean(error)
  const mean = tf.reshape(tf.div(sum(t), count), [1, heads, 1, 1])
  const variance = tf.div(squaredError(t, mean), tf.maximum(tf.sub(count, 1), 1))
  return tf.mean(tf.div(error, tf.maximum(variance, smallestVariance)))
}

/**
 * The mean squared error of the attention scores before the softmax, Σ_l MSE(A_s^l, A_t^l) (a₄'s term of paper, §2); term `attention`.
 *
 * Means run over heads and all pairs of positions that are no padding. With `teacherVariance`, each head's error is divided by the
 * unbiased variance of the teacher's scores of that head in the batch. Throws `ConfigError` for an unknown option.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.attention({ scale: "raw", reduce: "sum" }).spec.options, { scale: "raw", reduce: "sum" })
 * assert.deepEqual(Loss.attention().spec.options, { scale: "teacherVariance", reduce: "mean" })
 * ```
 */
export const attention = (options: AttentionOptions = {}): DistillationLoss => {
  const { scale, reduce } = Options.decode("attention", Attention, options)
  return {
    spec: Spec.make("attention", { options: { scale, reduce } }),
    taps: ["scores"],
    terms: ["attention"],
    inSetting: (setting) => attention({ ...setting, ...options }),
    apply: (input) =>
      term(
        "attention",
        overLayers(input.student.scores, input.teacher.scores, reduce, (x, t) => compare(x, t, input.attention, scale))
      )
  }
}
