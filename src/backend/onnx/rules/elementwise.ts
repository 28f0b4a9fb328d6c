import * as tf from "@tensorflow/tfjs-core"
import { elements } from "../../Tensor.ts"
import {
  alias,
  broadcast,
  cast,
  constant,
  dtypeOf,
  input,
  inputList,
  like,
  node,
  number,
  type Rule,
  uniform
} from "../Rule.ts"

const unary =
  (op: string): Rule =>
  (inputs) => {
    const x = input(inputs, "x")
    return node(op, [x], x.shape, x.dtype)
  }

/** A spread number as that number, where the other operand has the whole shape anyway. */
const narrow = (x: tf.TensorInfo, other: tf.TensorInfo): tf.TensorInfo => {
  const value = x.dtype === "float32" ? uniform(x) : undefined
  const whole = other.shape.length >= x.shape.length && elements(broadcast(x, other)) === elements(other.shape)
  return value === undefined || x.shape.length === 0 || !whole ? x : constant([value], [])
}

const binary =
  (op: string): Rule =>
  (inputs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")]
    const shape = broadcast(a, b)
    const [left, right] = [narrow(a, b), narrow(b, a)]
    // tfjs' gradients multiply by ones
    if (op === "Mul" && uniform(left) === 1 && tf.util.arraysEqual(b.shape, shape)) return alias(b)
    if (op === "Mul" && uniform(right) === 1 && tf.util.arraysEqual(a.shape, shape)) return alias(a)
    // of two spread numbers one must keep the shape
    return node(op, [left, left === a ? right : b], shape, a.dtype)
  }

/** A comparison; tfjs compares bools as numbers, ONNX does not. */
const comparison =
  (op: string): Rule =>
  (inputs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")].map((x) => (x.dtype === "bool" ? cast(x, "float32") : x))
    if (a === undefined || b === undefined) throw new RangeError(`${op} takes two inputs`)
    return node(op, [a, b], broadcast(a, b), "bool")
  }

const times = (a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo => node("Mul", [a, b], broadcast(a, b), a.dtype)

/** Kernels that work element by element. */
export const elementwise = {
  Add: binary("Add"),
  Sub: binary("Sub"),
  // tfjs casts a mask (bool) that meets numbers; only two masks arrive here as they are
  Multiply: (inputs, attributes) => binary(input(inputs, "a").dtype === "bool" ? "And" : "Mul")(inputs, attributes),
  RealDiv: binary("Div"),
  Maximum: binary("Max"),
  Minimum: binary("Min"),
  Pow: binary("Pow"),
  AddN: (inputs) => {
    const all = inputList(inputs)
    const [first] = all
    if (first === undefined) throw new RangeError("AddN takes at least one input")
    return node("Sum", all, first.shape, first.dtype)
  },
  SquaredDifference: (inputs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")]
    const difference = node("Sub", [a, b], broadcast(a, b), a.dtype)
    return times(difference, difference)
  },
  Square: (inputs) => times(input(inputs, "x"), input(inputs, "x")),
  Rsqrt: (inputs) => {
    const x = input(inputs, "x")
    return node("Reciprocal", [node("Sqrt", [x], x.shape, x.dtype)], x.shape, x.dtype)
  },
  Neg: unary("Neg"),
  Abs: unary("Abs"),
  Sign: unary("Sign"),
  Exp: unary("Exp"),
  Log: unary("Log"),
  Sqrt: unary("Sqrt"),
  Tanh: unary("Tanh"),
  Sigmoid: unary("Sigmoid"),
  Relu: unary("Relu"),
  Erf: unary("Erf"),
  Floor: unary("Floor"),
  Reciprocal: unary("Reciprocal"),
  Sin: unary("Sin"),
  Cos: unary("Cos"),
  Step: (inputs, attributes) => {
    const x = input(inputs, "x")
    const positive = cast(node("Greater", [x, like(x, 0)], x.shape, "bool"), "float32")
    const slope = number(attributes, "alpha")
    if (slope === 0) return positive
    const negative = node("Sub", [constant([1], []), positive], x.shape, "float32")
    return node("Add", [positive, times(negative, constant([slope], []))], x.shape, "float32")
  },
  ClipByValue: (inputs, attributes) => {
    const x = input(inputs, "x")
    const bounds = ["clipValueMin", "clipValueMax"].map((name) => like(x, number(attributes, name)))
    return node("Clip", [x, ...bounds], x.shape, x.dtype)
  },
  Identity: (inputs) => alias(input(inputs, "x")),
  Cast: (inputs, attributes) => {
    const x = input(inputs, "x")
    const dtype = dtypeOf(attributes)
    return x.dtype === dtype ? alias(x) : cast(x, dtype)
  },
  Greater: comparison("Greater"),
  GreaterEqual: comparison("GreaterOrEqual"),
  Less: comparison("Less"),
  LessEqual: comparison("LessOrEqual"),
  Equal: comparison("Equal"),
  NotEqual: (inputs, attributes) => {
    const equal = comparison("Equal")(inputs, attributes)
    return Array.isArray(equal) ? equal : node("Not", [equal], equal.shape, "bool")
  },
  LogicalNot: (inputs) => {
    const x = input(inputs, "x")
    return node("Not", [x], x.shape, "bool")
  },
  LogicalAnd: (inputs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")]
    return node("And", [a, b], broadcast(a, b), "bool")
  },
  LogicalOr: (inputs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")]
    return node("Or", [a, b], broadcast(a, b), "bool")
  },
  Select: (inputs) => {
    const [condition, t, e] = [input(inputs, "condition"), input(inputs, "t"), input(inputs, "e")]
    return node("Where", [condition, t, e], broadcast(t, e), t.dtype)
  }
} satisfies { readonly [kernel: string]: Rule }
