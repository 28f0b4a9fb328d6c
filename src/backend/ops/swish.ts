import * as tf from "@tensorflow/tfjs-core"
import { constant, input, node, number, type Rule } from "../onnx/Rule.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { first, registerGradient, run } from "./fused.ts"

/**
 * The sigmoid-weighted linear unit x σ(α x): SiLU or swish for α = 1, and for α = 1.702 the approximation of GELU that Hugging Face
 * calls quick_gelu (Hendrycks & Gimpel 2016, §2).
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const y = await evaluate((x) => ops.swish(x, 1), Tensor.host([0, 100]))
 * assert.deepEqual([...y.data], [0, 100])
 * ```
 */
export const swish = (x: tf.Tensor, alpha: number): tf.Tensor =>
  isTracing() ? first(run("HomodistilSwish", { x }, { alpha })) : tf.mul(x, tf.sigmoid(tf.mul(x, alpha)))

const forward: Rule = (inputs, attributes) => {
  const x = input(inputs, "x")
  const alpha = { float: number(attributes, "alpha") }
  return node("QuickGelu", [x], x.shape, "float32", { alpha }, "com.microsoft")
}

/** With s = σ(α x): dy s (1 + α x (1 - s)). */
const backward: Rule = (inputs, attributes) => {
  const [dy, x] = [input(inputs, "dy"), input(inputs, "x")]
  const op = (name: string, ...operands: ReadonlyArray<tf.TensorInfo>) => node(name, operands, x.shape, "float32")
  const one = constant([1], [])
  const z = op("Mul", x, constant([number(attributes, "alpha")], []))
  const s = op("Sigmoid", z)
  return op("Mul", op("Mul", dy, s), op("Add", op("Mul", z, op("Sub", one, s)), one))
}

registerGradient("HomodistilSwish", ["x"], [], (dy, [x], attributes) =>
  x === undefined ? [] : run("HomodistilSwishGrad", { dy, x }, attributes)
)

/** The graph rules of the traced unit. */
export const swishRules = { HomodistilSwish: forward, HomodistilSwishGrad: backward } satisfies {
  readonly [kernel: string]: Rule
}
