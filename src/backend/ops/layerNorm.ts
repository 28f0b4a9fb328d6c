import * as tf from "@tensorflow/tfjs-core"
import { constant, input, integers, node, number, type Rule } from "../onnx/Rule.ts"
import { sumOfRows } from "../onnx/rules/products.ts"
import { graph, isTracing, nameOf, symbol } from "../onnx/TracingBackend.ts"
import { first, registerGradient, run } from "./fused.ts"

/**
 * Layer normalisation over the last axis: (x - mean) / √(variance + ε) · γ + β (Ba et al. 2016).
 *
 * `x` is [rows, width]; `gamma` and `beta` are [width].
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const [one, zero] = [Tensor.host([1, 1]), Tensor.host([0, 0])]
 * const y = await evaluate((x, gamma, beta) => ops.layerNorm(x, gamma, beta, 0), Tensor.host([3, 5], [1, 2]), one, zero)
 * assert.deepEqual([...y.data], [-1, 1])
 * ```
 */
export const layerNorm = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, epsilon: number): tf.Tensor => {
  if (isTracing()) return first(run("HomodistilLayerNorm", { x, gamma, beta }, { epsilon }))
  const centred = tf.sub(x, tf.mean(x, -1, true))
  const variance = tf.mean(tf.square(centred), -1, true)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), beta)
}

/**
 * Layer normalisation whose statistics run over the kept units only, so that a masked model equals the cut one.
 *
 * `kept` is [width], 1 for a kept unit and 0 for a masked one; masked units come out as 0.
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const [one, zero, kept] = [Tensor.host([1, 1, 1]), Tensor.host([0, 0, 0]), Tensor.host([1, 0, 1])]
 * const x = Tensor.host([3, 99, 5], [1, 3])
 * const y = await evaluate((x, g, b, kept) => ops.maskedLayerNorm(x, g, b, 0, kept), x, one, zero, kept)
 * assert.deepEqual([...y.data], [-1, 0, 1])
 * ```
 */
export const maskedLayerNorm = (
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
  kept: tf.Tensor
): tf.Tensor => {
  const width = tf.sum(kept)
  const centred = tf.mul(tf.sub(x, tf.div(tf.sum(tf.mul(x, kept), -1, true), width)), kept)
  const variance = tf.div(tf.sum(tf.square(centred), -1, true), width)
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), gamma), tf.mul(beta, kept))
}

const forward: Rule = (inputs, attributes) => {
  const operands = ["x", "gamma", "beta"].map((name) => input(inputs, name))
  const x = input(inputs, "x")
  const [y = "", mean = "", inverse = ""] = graph().nodes("LayerNormalization", operands.map(nameOf), 3, {
    axis: { int: -1 },
    epsilon: { float: number(attributes, "epsilon") }
  })
  const column = [...x.shape.slice(0, -1), 1]
  return [symbol(y, x.shape, "float32"), symbol(mean, column, "float32"), symbol(inverse, column, "float32")]
}

/**
 * With u the normalised rows and d = dy γ: dx = (d - mean(d) - u mean(d u)) / √(variance + ε); the means are products with γ, and the
 * sums over rows products with ones, which the runtime does many times faster than reductions.
 */
const backward: Rule = (inputs) => {
  const [dy, x, gamma] = [input(inputs, "dy"), input(inputs, "x"), input(inputs, "gamma")]
  const [mean, inverse] = [input(inputs, "mean"), input(inputs, "inverse")]
  const width = gamma.shape[0] ?? 1
  const op = (name: string, ...operands: ReadonlyArray<tf.TensorInfo>) => node(name, operands, x.shape, "float32")
  // γ / width as a column: what a row is multiplied by to give the mean of its products with γ
  const shares = node("Mul", [gamma, constant([1 / width], [])], gamma.shape, "float32")
  const column = node("Reshape", [shares, integers([width, 1])], [width, 1], "float32")
  const meanWithGamma = (rows: tf.TensorInfo) => node("MatMul", [rows, column], mean.shape, "float32")
  const unit = op("Mul", op("Sub", x, mean), inverse)
  const along = op("Mul", dy, unit)
  const centred = op("Sub", op("Mul", dy, gamma), meanWithGamma(dy))
  const inner = op("Sub", centred, op("Mul", unit, meanWithGamma(along)))
  return [op("Mul", inner, inverse), sumOfRows(along), sumOfRows(dy)]
}

registerGradient(
  "HomodistilLayerNorm",
  ["x", "gamma", "beta"],
  [false, true, true],
  (dy, [x, gamma, , mean, inverse]) =>
    x === undefined || gamma === undefined || mean === undefined || inverse === undefined
      ? []
      : run("HomodistilLayerNormGrad", { dy, x, gamma, mean, inverse })
)

/** The graph rules of the traced layer normalisation. */
export const layerNormRules = { HomodistilLayerNorm: forward, HomodistilLayerNormGrad: backward } satisfies {
  readonly [kernel: string]: Rule
}

/** BERT's ε in layer normalisation. */
export const bertEpsilon = 1e-12
