import type * as tf from "@tensorflow/tfjs-core"
import { alias, axisOf, cast, flag, input, integers, node, number, numbers, type Rule } from "../Rule.ts"

const reducedShape = (x: tf.TensorInfo, axes: ReadonlyArray<number>, keep: boolean): ReadonlyArray<number> =>
  x.shape.flatMap((size, i) => (axes.includes(i) ? (keep ? [1] : []) : [size]))

const axesOf = (x: tf.TensorInfo, given: ReadonlyArray<number>): ReadonlyArray<number> =>
  given.length === 0 ? x.shape.map((_, i) => i) : given.map((axis) => axisOf(axis, x.shape.length))

/** tfjs means numbers of every type as float32. */
const mean: Rule = (inputs, attributes) =>
  reduction("ReduceMean", "axis")({ x: cast(input(inputs, "x"), "float32") }, attributes)

/** tfjs leaves the axes out to mean all of them, and gives an empty list to mean none. Opset 17 takes ReduceSum's as an input. */
const reduction =
  (op: string, axisName: string): Rule =>
  (inputs, attributes) => {
    const x = input(inputs, "x")
    const given = numbers(attributes, axisName)
    if (x.shape.length === 0 || (Array.isArray(attributes[axisName]) && given.length === 0)) return alias(x)
    const axes = axesOf(x, given)
    const keep = flag(attributes, "keepDims")
    const keepdims = { int: keep ? 1 : 0 }
    const shape = reducedShape(x, axes, keep)
    return op === "ReduceSum"
      ? node(op, [x, integers(axes)], shape, x.dtype, { keepdims })
      : node(op, [x], shape, x.dtype, { axes: { ints: axes }, keepdims })
  }

/** Kernels that shrink axes, and the softmax that works along the last. */
export const reductions = {
  Sum: reduction("ReduceSum", "axis"),
  Mean: mean,
  Prod: reduction("ReduceProd", "axis"),
  Max: reduction("ReduceMax", "reductionIndices"),
  Min: reduction("ReduceMin", "axis"),
  ArgMax: (inputs, attributes) => {
    const x = input(inputs, "x")
    const axis = axisOf(number(attributes, "axis"), x.shape.length)
    const shape = reducedShape(x, [axis], false)
    // ONNX counts in int64, tfjs in int32
    const index = node("ArgMax", [x], shape, "float32", { axis: { int: axis }, keepdims: { int: 0 } })
    return node("Cast", [index], shape, "int32", { to: { int: 6 } })
  },
  Softmax: (inputs) => {
    const x = input(inputs, "logits")
    return node("Softmax", [x], x.shape, "float32", { axis: { int: -1 } })
  }
} satisfies { readonly [kernel: string]: Rule }
