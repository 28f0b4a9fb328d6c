import * as tf from "@tensorflow/tfjs-core"
import { constant, input, node, type Rule } from "../onnx/Rule.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { first, registerGradient, run } from "./fused.ts"

/**
 * The Gaussian error linear unit, x Φ(x), in its exact form (Hendrycks & Gimpel 2016); BERT's activation.
 *
 * @example
 * ```ts
 * import { Backend, ops, Tensor, evaluate } from "homodistil/backend"
 * const y = await evaluate((x) => ops.gelu(x), Tensor.host([0, 100]))
 * assert.deepEqual([...y.data], [0, 100])
 * ```
 */
export const gelu = (x: tf.Tensor): tf.Tensor =>
  isTracing() ? first(run("HomodistilGelu", { x })) : tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))))

const forward: Rule = (inputs) => {
  const x = input(inputs, "x")
  return node("Gelu", [x], x.shape, "float32", {}, "com.microsoft")
}

/**
 * dy (Φ(x) + x φ(x)) with the fewest passes: with z = x/√2, ½ dy (1 + erf z + 2/√π z e^(-z²)). The half comes last, where products take
 * it over.
 */
const backward: Rule = (inputs) => {
  const [dy, x] = [input(inputs, "dy"), input(inputs, "x")]
  const op = (name: string, ...operands: ReadonlyArray<tf.TensorInfo>) => node(name, operands, x.shape, "float32")
  const z = op("Mul", x, constant([Math.SQRT1_2], []))
  const bell = op("Exp", op("Neg", op("Mul", z, z)))
  const slope = op("Add", op("Erf", z), op("Mul", op("Mul", z, bell), constant([2 / Math.sqrt(Math.PI)], [])))
  return op("Mul", op("Mul", dy, op("Add", slope, constant([1], []))), constant([0.5], []))
}

registerGradient("HomodistilGelu", ["x"], [], (dy, [x]) =>
  x === undefined ? [] : run("HomodistilGeluGrad", { dy, x })
)

/** The graph rules of the traced GELU. */
export const geluRules = { HomodistilGelu: forward, HomodistilGeluGrad: backward } satisfies {
  readonly [kernel: string]: Rule
}
