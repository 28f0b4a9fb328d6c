import * as tf from "@tensorflow/tfjs-core"
import { constant, input, integers, node, type Rule } from "../onnx/Rule.ts"
import { squaresOfRows, sumOfRows, sumsOfRows } from "../onnx/rules/products.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { detached, first, registerGradient, run } from "./fused.ts"

/**
 * The sum of the squared differences of two tensors of one shape; a number.
 *
 * No gradient reaches `target`.
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const sum = await evaluate(ops.squaredError, Tensor.host([1, 2, 3]), Tensor.host([1, 0, 0]))
 * assert.equal(sum.data[0], 13)
 * ```
 */
export const squaredError = (x: tf.Tensor, target: tf.Tensor): tf.Tensor =>
  isTracing() ? first(run("HomodistilSquaredError", { x, target })) : tf.sum(tf.squaredDifference(x, detached(target)))

/**
 * The sums of the squared differences of two sets of attention scores, head by head: [rows, heads, length, length] each → [heads].
 *
 * No gradient reaches `target`, which may also have one number for each head, [1, heads, 1, 1].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const scores = Tensor.host([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2])
 * assert.deepEqual([...(await evaluate((x) => ops.squaredErrorByHead(x, x.mul(0)), scores)).data], [30, 174])
 * ```
 */
export const squaredErrorByHead = (x: tf.Tensor, target: tf.Tensor): tf.Tensor =>
  isTracing()
    ? first(run("HomodistilSquaredErrorByHead", { x, target }))
    : tf.sum(tf.squaredDifference(x, detached(target)), [0, 2, 3])

/**
 * The sums of attention scores, head by head: [rows, heads, length, length] → [heads]; for numbers that are not differentiated.
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const scores = Tensor.host([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 2, 2])
 * assert.deepEqual([...(await evaluate(ops.sumByHead, scores)).data], [10, 26])
 * ```
 */
export const sumByHead = (x: tf.Tensor): tf.Tensor =>
  isTracing() ? first(run("HomodistilSumByHead", { x })) : tf.sum(x, [0, 2, 3])

/** Sums by head of what `sums` makes of each row and head's scores, laid end to end. */
const byHead = (x: tf.TensorInfo, sums: (flat: tf.TensorInfo) => tf.TensorInfo): tf.TensorInfo => {
  const [rows = 1, heads = 1, from = 1, to = 1] = x.shape
  const flat = node("Reshape", [x, integers([rows * heads, from * to])], [rows * heads, from * to], "float32")
  return sumOfRows(node("Reshape", [sums(flat), integers([rows, heads])], [rows, heads], "float32"))
}

const differenceOf = (inputs: tf.NamedTensorInfoMap): tf.TensorInfo => {
  const x = input(inputs, "x")
  return node("Sub", [x, input(inputs, "target")], x.shape, "float32")
}

const scaledBy = (factor: tf.TensorInfo, difference: tf.TensorInfo): tf.TensorInfo => {
  const twice = node("Mul", [factor, constant([2], [])], factor.shape, "float32")
  return node("Mul", [difference, twice], difference.shape, "float32")
}

const forward: Rule = (inputs) => {
  const difference = differenceOf(inputs)
  return [node("ReduceSumSquare", [difference], [], "float32", { keepdims: { int: 0 } }), difference]
}

const forwardByHead: Rule = (inputs) => {
  const difference = differenceOf(inputs)
  return [byHead(difference, squaresOfRows), difference]
}

const backward: Rule = (inputs) => scaledBy(input(inputs, "dy"), input(inputs, "difference"))

const backwardByHead: Rule = (inputs) => {
  const [dy, difference] = [input(inputs, "dy"), input(inputs, "difference")]
  const heads = dy.shape[0] ?? 1
  const spread = node("Reshape", [dy, integers([1, heads, 1, 1])], [1, heads, 1, 1], "float32")
  return scaledBy(spread, difference)
}

for (const kernel of ["HomodistilSquaredError", "HomodistilSquaredErrorByHead"])
  registerGradient(kernel, ["x", "target"], [false, true], (dy, [x, target, difference]) =>
    x === undefined || target === undefined || difference === undefined
      ? []
      : [...run(`${kernel}Grad`, { dy, difference }), tf.zerosLike(target)]
  )

/** The graph rules of the traced sums of squared differences. */
export const squaredErrorRules = {
  HomodistilSquaredError: forward,
  HomodistilSquaredErrorGrad: backward,
  HomodistilSquaredErrorByHead: forwardByHead,
  HomodistilSquaredErrorByHeadGrad: backwardByHead,
  HomodistilSumByHead: (inputs) => byHead(input(inputs, "x"), sumsOfRows)
} satisfies { readonly [kernel: string]: Rule }
