import * as tf from "@tensorflow/tfjs-core"
import { input, integers, node, type Rule } from "../onnx/Rule.ts"
import { product, sumsOfRows } from "../onnx/rules/products.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { first, registerGradient, run } from "./fused.ts"

/**
 * What attention gathers: the softmax of its scores, times the values.
 *
 * `scores` is [rows, heads, from, to], `values` [rows, heads, to, width]; the result is [rows, heads, from, width].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const [scores, values] = [Tensor.host([0, 0], [1, 1, 1, 2]), Tensor.host([2, 4], [1, 1, 2, 1])]
 * assert.deepEqual([...(await evaluate(ops.attend, scores, values)).data], [3])
 * ```
 */
export const attend = (scores: tf.Tensor, values: tf.Tensor): tf.Tensor =>
  isTracing() ? first(run("HomodistilAttend", { scores, values })) : tf.matMul(tf.softmax(scores), values)

const forward: Rule = (inputs) => {
  const [scores, values] = [input(inputs, "scores"), input(inputs, "values")]
  const probabilities = node("Softmax", [scores], scores.shape, "float32", { axis: { int: -1 } })
  return [product(probabilities, values), probabilities]
}

/**
 * With P the probabilities and C = P V: dV = Pᵀ dC, and with E = P ∘ (dC Vᵀ), dS = E - P (row sums of E). The sums are taken of E
 * itself: those of C ∘ dC are the same and cheaper, but then the rows of dS no longer add up to zero so exactly, and the bias of the
 * keys, whose gradient is zero but for rounding, is moved by that by Adam.
 */
const backward: Rule = (inputs) => {
  const [dy, values, probabilities] = [input(inputs, "dy"), input(inputs, "values"), input(inputs, "probabilities")]
  const shape = probabilities.shape
  const [width = 1, rows] = [shape.at(-1), shape.slice(0, -1)]
  const count = rows.reduce((a, b) => a * b, 1)
  const along = node("Mul", [product(dy, values, { transposeB: true }), probabilities], shape, "float32")
  const sums = sumsOfRows(node("Reshape", [along, integers([count, width])], [count, width], "float32"))
  const level = node("Reshape", [sums, integers([...rows, 1])], [...rows, 1], "float32")
  return [
    node("Sub", [along, node("Mul", [probabilities, level], shape, "float32")], shape, "float32"),
    product(probabilities, dy, { transposeA: true })
  ]
}

registerGradient("HomodistilAttend", ["scores", "values"], [true, true], (dy, [, values, context, probabilities]) =>
  values === undefined || context === undefined || probabilities === undefined
    ? []
    : run("HomodistilAttendGrad", { dy, values, context, probabilities })
)

/** The graph rules of the traced attention. */
export const attendRules = { HomodistilAttend: forward, HomodistilAttendGrad: backward } satisfies {
  readonly [kernel: string]: Rule
}
