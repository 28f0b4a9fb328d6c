import * as Schema from "effect/Schema"
import { ops, tf } from "../backend/index.ts"
import { Options } from "../spec/index.ts"
import { overLayers, Reduce } from "./overLayers.ts"

/** Options of a loss of relations between tokens. */
export const Relation = Schema.Struct({
  layers: Options.withDefault(Schema.Literals(["last", "all"]), "last"),
  reduce: Reduce
})

/**
 * Which layers are compared: the `last` of student and teacher alone (unless given), which may then differ in depth, or `all` one to
 * one, averaged or summed.
 */
export type RelationOptions = typeof Relation.Encoded

/** Silences a padded token in a softmax, as in the forward pass. */
const silenced = -1e4

/**
 * KL(teacher ‖ student) of the distributions over tokens that scores give, in nats: the mean over rows, heads and positions.
 *
 * Both are [rows, heads, length, length]; `attention` is [rows, length], 1 for a token and 0 for padding, which is neither counted nor
 * looked at. No gradient reaches the teacher.
 *
 * @example
 * ```ts
 * import { evaluate, Tensor } from "homodistil/backend"
 * import { relationDivergence } from "homodistil/loss"
 * const [even, uneven] = [Tensor.host([0, 0, 0, 0], [1, 1, 2, 2]), Tensor.host([9, 9, 0, Math.log(3)], [1, 1, 2, 2])]
 * const y = await evaluate((student, teacher) => relationDivergence(student, teacher, undefined), even, uneven)
 * // the first rows agree; in the second the teacher says ¼ and ¾ where the student says ½
 * assert.ok(Math.abs((y.data[0] ?? 0) - (0.25 * Math.log(0.5) + 0.75 * Math.log(1.5)) / 2) < 1e-6)
 * ```
 */
export const relationDivergence = (
  student: tf.Tensor,
  teacher: tf.Tensor,
  attention: tf.Tensor | undefined
): tf.Tensor => {
  const [rows = 1, heads = 1, length = 1] = student.shape
  const flat = (scores: tf.Tensor): tf.Tensor => tf.reshape(scores, [rows * heads * length, length])
  if (attention === undefined) return tf.mean(ops.klDivergence(flat(student), flat(teacher)))
  const bias = tf.reshape(tf.mul(tf.sub(1, attention), silenced), [rows, 1, 1, length])
  const seen = (scores: tf.Tensor): tf.Tensor => flat(tf.add(scores, bias))
  const divergences = tf.reshape(ops.klDivergence(seen(student), seen(teacher)), [rows, heads, length])
  const counted = tf.mul(divergences, tf.reshape(attention, [rows, 1, length]))
  return tf.div(tf.sum(counted), tf.mul(tf.sum(attention), heads))
}

/** `relationDivergence` of the scores of the layers that are asked for. */
export const overRelations = (
  student: ReadonlyArray<tf.Tensor>,
  teacher: ReadonlyArray<tf.Tensor>,
  { layers, reduce }: typeof Relation.Type,
  attention: tf.Tensor | undefined
): tf.Tensor => {
  const chosen = (of: ReadonlyArray<tf.Tensor>) => (layers === "last" ? of.slice(-1) : of)
  return overLayers(chosen(student), chosen(teacher), reduce, (x, t) => relationDivergence(x, t, attention))
}
