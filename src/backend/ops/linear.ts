import * as tf from "@tensorflow/tfjs-core"
import { input, node, number, type Rule } from "../onnx/Rule.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { product, sumOfRows } from "../onnx/rules/products.ts"
import { first, registerGradient, run } from "./fused.ts"

/**
 * A dense layer, x Wᵀ + b, with the weight as Hugging Face keeps it.
 *
 * `x` is [rows, in], `weight` [out, in], `bias` [out]; the result is [rows, out].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const [x, weight, bias] = [Tensor.host([1, 2], [1, 2]), Tensor.host([3, 4], [1, 2]), Tensor.host([5])]
 * assert.deepEqual([...(await evaluate(ops.linear, x, weight, bias)).data], [16])
 * ```
 */
export const linear = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
  isTracing() ? first(run("HomodistilLinear", { x, weight, bias })) : tf.add(tf.matMul(x, weight, false, true), bias)

/**
 * A scaled product with the second operand transposed, α a bᵀ, over the last two axes: attention's scores.
 *
 * `a` is [..., m, k], `b` [..., n, k]; the result is [..., m, n].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const y = await evaluate((a, b) => ops.scaledProduct(a, b, 0.5), Tensor.host([1, 2], [1, 2]), Tensor.host([3, 4], [1, 2]))
 * assert.deepEqual([y.shape, ...y.data], [[1, 1], 5.5])
 * ```
 */
export const scaledProduct = (a: tf.Tensor, b: tf.Tensor, alpha: number): tf.Tensor =>
  isTracing() ? first(run("HomodistilScaledProduct", { a, b }, { alpha })) : tf.mul(tf.matMul(a, b, false, true), alpha)

const linearForward: Rule = (inputs) => {
  const [x, weight, bias] = [input(inputs, "x"), input(inputs, "weight"), input(inputs, "bias")]
  const shape = [x.shape[0] ?? 1, weight.shape[0] ?? 1]
  return node("Gemm", [x, weight, bias], shape, "float32", { transB: { int: 1 } })
}

const linearBackward: Rule = (inputs) => {
  const [dy, x, weight] = [input(inputs, "dy"), input(inputs, "x"), input(inputs, "weight")]
  return [product(dy, weight), product(dy, x, { transposeA: true }), sumOfRows(dy)]
}

const scaledForward: Rule = (inputs, attributes) =>
  product(input(inputs, "a"), input(inputs, "b"), { transposeB: true, alpha: number(attributes, "alpha") })

const scaledBackward: Rule = (inputs, attributes) => {
  const [dy, a, b] = [input(inputs, "dy"), input(inputs, "a"), input(inputs, "b")]
  const alpha = number(attributes, "alpha")
  return [product(dy, b, { alpha }), product(dy, a, { transposeA: true, alpha })]
}

registerGradient("HomodistilLinear", ["x", "weight", "bias"], [], (dy, [x, weight]) =>
  x === undefined || weight === undefined ? [] : run("HomodistilLinearGrad", { dy, x, weight })
)
registerGradient("HomodistilScaledProduct", ["a", "b"], [], (dy, [a, b], attributes) =>
  a === undefined || b === undefined ? [] : run("HomodistilScaledProductGrad", { dy, a, b }, attributes)
)

/** The graph rules of the traced products. */
export const linearRules = {
  HomodistilLinear: linearForward,
  HomodistilLinearGrad: linearBackward,
  HomodistilScaledProduct: scaledForward,
  HomodistilScaledProductGrad: scaledBackward
} satisfies { readonly [kernel: string]: Rule }
