import * as tf from "@tensorflow/tfjs-core"
import { constant, input, integers, node, type Rule } from "../onnx/Rule.ts"
import { isTracing } from "../onnx/TracingBackend.ts"
import { first, registerGradient, run } from "./fused.ts"

/** √(2/π), and the weight of the cube beside it. */
const [root, cube] = [Math.sqrt(2 / Math.PI), 0.044715]

/**
 * The Gaussian error linear unit by its tanh approximation, ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks & Gimpel 2016, §2):
 * the activation that Hugging Face calls gelu_new, gelu_pytorch_tanh and gelu_fast.
 *
 * @example
 * ```ts
 * import { evaluate, ops, Tensor } from "homodistil/backend"
 * const y = await evaluate((x) => ops.geluTanh(x), Tensor.host([0, 100]))
 * assert.deepEqual([...y.data], [0, 100])
 * ```
 */
export const geluTanh = (x: tf.Tensor): tf.Tensor => {
  if (isTracing()) return first(run("HomodistilGeluTanh", { x }))
  const inner = tf.mul(tf.mul(x, root), tf.add(tf.mul(tf.square(x), cube), 1))
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
}

const forward: Rule = (inputs) => {
  const x = input(inputs, "x")
  const apply = (operand: tf.TensorInfo) => node("FastGelu", [operand], operand.shape, "float32", {}, "com.microsoft")
  // ONNX Runtime's kernel takes no single number
  if (x.shape.length > 0) return apply(x)
  return node("Reshape", [apply(node("Reshape", [x, integers([1])], [1], "float32")), integers([])], [], "float32")
}

/** With t = tanh(r x (1 + c x²)): ½ dy (1 + t + r x (1 - t²) (1 + 3 c x²)). */
const backward: Rule = (inputs) => {
  const [dy, x] = [input(inputs, "dy"), input(inputs, "x")]
  const op = (name: string, ...operands: ReadonlyArray<tf.TensorInfo>) => node(name, operands, x.shape, "float32")
  const scalar = (value: number) => constant([value], [])
  const one = scalar(1)
  const [z, square] = [op("Mul", x, scalar(root)), op("Mul", x, x)]
  const t = op("Tanh", op("Mul", z, op("Add", op("Mul", square, scalar(cube)), one)))
  const inner = op("Mul", z, op("Add", op("Mul", square, scalar(3 * cube)), one))
  const slope = op("Add", t, op("Mul", op("Sub", one, op("Mul", t, t)), inner))
  return op("Mul", op("Mul", dy, op("Add", slope, one)), scalar(0.5))
}

registerGradient("HomodistilGeluTanh", ["x"], [], (dy, [x]) =>
  x === undefined ? [] : run("HomodistilGeluTanhGrad", { dy, x })
)

/** The graph rules of the traced unit. */
export const geluTanhRules = { HomodistilGeluTanh: forward, HomodistilGeluTanhGrad: backward } satisfies {
  readonly [kernel: string]: Rule
}
