import * as tf from "@tensorflow/tfjs-core"
import { constant, input, integers, node, type Rule, uniform } from "../onnx/Rule.ts"
import { sumsOfRows } from "../onnx/rules/products.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { detached, first, registerGradient, run } from "./fused.ts"

/**
 * The cross-entropy of each row's logits against its label, in nats.
 *
 * `logits` is [rows, classes] (float32), `labels` [rows] (int32, each in [0, classes)); the result is [rows].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const loss = await evaluate(ops.crossEntropy, Tensor.host([0, 0, 0, 0], [1, 4]), Tensor.host([2], [1], "int32"))
 * assert.ok(Math.abs((loss.data[0] ?? 0) - Math.log(4)) < 1e-6) // one of four, equally likely
 * ```
 */
export const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor => {
  if (isTracing()) return first(run("HomodistilCrossEntropy", { logits, labels }))
  const hot = tf.cast(tf.oneHot(tf.cast(labels, "int32"), logits.shape[1] ?? 1), "float32")
  return tf.neg(tf.sum(tf.mul(hot, tf.logSoftmax(logits)), -1))
}

/**
 * The Kullback-Leibler divergence KL(teacher ‖ student) of each row's distribution, in nats; no gradient reaches the teacher.
 *
 * Both logits are [rows, classes]; the result is [rows].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const logits = Tensor.host([1, -2, 0.5], [1, 3])
 * assert.deepEqual([...(await evaluate(ops.klDivergence, logits, logits)).data], [0])
 * ```
 */
export const klDivergence = (student: tf.Tensor, teacher: tf.Tensor): tf.Tensor => {
  if (isTracing()) return first(run("HomodistilKlDivergence", { student, teacher }))
  const target = tf.logSoftmax(detached(teacher))
  return tf.sum(tf.mul(tf.exp(target), tf.sub(target, tf.logSoftmax(student))), -1)
}

const logSoftmax = (x: tf.TensorInfo) => node("LogSoftmax", [x], x.shape, "float32", { axis: { int: -1 } })
const column = (x: tf.TensorInfo) => node("Reshape", [x, integers([x.shape[0] ?? 1, 1])], [x.shape[0] ?? 1, 1], x.dtype)

const crossEntropyForward: Rule = (inputs) => {
  const [logits, labels] = [input(inputs, "logits"), input(inputs, "labels")]
  const rows = logits.shape[0] ?? 1
  const picked = node("GatherElements", [logSoftmax(logits), column(labels)], [rows, 1], "float32", {
    axis: { int: 1 }
  })
  return node("Neg", [node("Reshape", [picked, integers([rows])], [rows], "float32")], [rows], "float32")
}

/** (softmax - one-hot) dy, with the label's entry reached by a scatter instead of a one-hot matrix. */
const crossEntropyBackward: Rule = (inputs) => {
  const [dy, logits, labels] = [input(inputs, "dy"), input(inputs, "logits"), input(inputs, "labels")]
  const softmax = node("Exp", [logSoftmax(logits)], logits.shape, "float32")
  const minusOne = constant(new Float32Array(logits.shape[0] ?? 1).fill(-1), column(labels).shape)
  const gap = node("ScatterElements", [softmax, column(labels), minusOne], logits.shape, "float32", {
    axis: { int: 1 },
    reduction: { string: "add" }
  })
  return byRow(gap, dy)
}

/** Each row times its own number; one number for all rows stays a number, which products can take over. */
const byRow = (x: tf.TensorInfo, factors: tf.TensorInfo): tf.TensorInfo => {
  const all = uniform(factors)
  return node("Mul", [x, all === undefined ? column(factors) : constant([all], [])], x.shape, "float32")
}

const klForward: Rule = (inputs) => {
  const [student, teacher] = [input(inputs, "student"), input(inputs, "teacher")]
  const target = logSoftmax(teacher)
  const gap = node("Sub", [target, logSoftmax(student)], student.shape, "float32")
  const weighted = node("Mul", [node("Exp", [target], student.shape, "float32"), gap], student.shape, "float32")
  const rows = student.shape[0] ?? 1
  return node("Reshape", [sumsOfRows(weighted), integers([rows])], [rows], "float32")
}

const klBackward: Rule = (inputs) => {
  const [dy, student, teacher] = [input(inputs, "dy"), input(inputs, "student"), input(inputs, "teacher")]
  const probability = (x: tf.TensorInfo) => node("Exp", [logSoftmax(x)], x.shape, "float32")
  const gap = node("Sub", [probability(student), probability(teacher)], student.shape, "float32")
  return byRow(gap, dy)
}

registerGradient("HomodistilCrossEntropy", ["logits", "labels"], [], (dy, [logits, labels]) =>
  logits === undefined || labels === undefined
    ? []
    : [...run("HomodistilCrossEntropyGrad", { dy, logits, labels }), tf.zerosLike(labels)]
)
registerGradient("HomodistilKlDivergence", ["student", "teacher"], [], (dy, [student, teacher]) =>
  student === undefined || teacher === undefined
    ? []
    : [...run("HomodistilKlDivergenceGrad", { dy, student, teacher }), tf.zerosLike(teacher)]
)

/** The graph rules of the traced cross-entropy and divergence. */
export const crossEntropyRules = {
  HomodistilCrossEntropy: crossEntropyForward,
  HomodistilCrossEntropyGrad: crossEntropyBackward,
  HomodistilKlDivergence: klForward,
  HomodistilKlDivergenceGrad: klBackward
} satisfies { readonly [kernel: string]: Rule }
