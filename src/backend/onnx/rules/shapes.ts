import * as tf from "@tensorflow/tfjs-core"
import { elements } from "../../Tensor.ts"
import { graph, nameOf, symbol } from "../TracingBackend.ts"
import {
  alias,
  axisOf,
  constant,
  dtypeOf,
  input,
  inputList,
  integers,
  like,
  node,
  number,
  numbers,
  type Rule
} from "../Rule.ts"

const reshape = (x: tf.TensorInfo, shape: ReadonlyArray<number>): tf.TensorInfo =>
  node("Reshape", [x, integers(shape)], shape, x.dtype)

/** A constant tensor filled with one value: an Expand, so that large ones take no room in the model. */
const fill = (value: number, shape: ReadonlyArray<number>, dtype: tf.DataType): tf.TensorInfo => {
  const one = constant([value], [], dtype === "int32" || dtype === "bool" ? dtype : "float32")
  return shape.length === 0 ? one : node("Expand", [one, integers(shape)], shape, dtype)
}

const slice = (x: tf.TensorInfo, begin: ReadonlyArray<number>, size: ReadonlyArray<number>): tf.TensorInfo => {
  const ends = begin.map((b, i) => b + (size[i] ?? 0))
  return node("Slice", [x, integers(begin), integers(ends), integers(begin.map((_, i) => i))], size, x.dtype)
}

/** Kernels that move, repeat or reshape without arithmetic. */
export const shapes = {
  Reshape: (inputs, attributes) => {
    const x = input(inputs, "x")
    const shape = tf.util.inferFromImplicitShape([...numbers(attributes, "shape")], elements(x.shape))
    return tf.util.arraysEqual(shape, x.shape) ? alias(x) : reshape(x, shape)
  },
  ExpandDims: (inputs, attributes) => {
    const x = input(inputs, "input")
    const shape = [...x.shape]
    shape.splice(axisOf(number(attributes, "dim"), x.shape.length + 1), 0, 1)
    return reshape(x, shape)
  },
  Transpose: (inputs, attributes) => {
    const x = input(inputs, "x")
    const perm = numbers(attributes, "perm")
    if (perm.every((from, i) => from === i)) return alias(x)
    return node(
      "Transpose",
      [x],
      perm.map((from) => x.shape[from] ?? 0),
      x.dtype,
      { perm: { ints: perm } }
    )
  },
  Concat: (inputs, attributes) => {
    const all = inputList(inputs)
    const [first] = all
    if (first === undefined) throw new RangeError("Concat takes at least one input")
    const axis = axisOf(number(attributes, "axis"), first.shape.length)
    const shape = first.shape.map((size, i) => (i === axis ? all.reduce((n, x) => n + (x.shape[axis] ?? 0), 0) : size))
    return node("Concat", all, shape, first.dtype, { axis: { int: axis } })
  },
  Pack: (inputs, attributes) => {
    const all = inputList(inputs)
    const [first] = all
    if (first === undefined) throw new RangeError("Pack takes at least one input")
    const axis = axisOf(number(attributes, "axis"), first.shape.length + 1)
    const one = [...first.shape]
    one.splice(axis, 0, 1)
    const shape = one.map((size, i) => (i === axis ? all.length : size))
    return node(
      "Concat",
      all.map((x) => reshape(x, one)),
      shape,
      first.dtype,
      { axis: { int: axis } }
    )
  },
  Unpack: (inputs, attributes) => {
    const x = input(inputs, "value")
    const axis = axisOf(number(attributes, "axis"), x.shape.length)
    const rest = x.shape.filter((_, i) => i !== axis)
    return Array.from({ length: x.shape[axis] ?? 0 }, (_, k) =>
      reshape(
        slice(
          x,
          x.shape.map((_, i) => (i === axis ? k : 0)),
          x.shape.map((size, i) => (i === axis ? 1 : size))
        ),
        rest
      )
    )
  },
  SplitV: (inputs, attributes) => {
    const x = input(inputs, "x")
    const axis = axisOf(number(attributes, "axis"), x.shape.length)
    const sizes = tf.backend_util.prepareSplitSize(
      { ...x, shape: x.shape },
      Array.isArray(attributes["numOrSizeSplits"])
        ? [...numbers(attributes, "numOrSizeSplits")]
        : number(attributes, "numOrSizeSplits"),
      axis
    )
    const names = graph().nodes("Split", [nameOf(x), nameOf(integers(sizes))], sizes.length, { axis: { int: axis } })
    return names.map((name, k) =>
      symbol(
        name,
        x.shape.map((size, i) => (i === axis ? (sizes[k] ?? 0) : size)),
        x.dtype
      )
    )
  },
  Slice: (inputs, attributes) => {
    const x = input(inputs, "x")
    const asked = (name: string): Array<number> => [...numbers(attributes, name)]
    const [begin = [], size = []] = tf.slice_util.parseSliceParams(
      { ...x, shape: x.shape },
      asked("begin"),
      asked("size")
    )
    tf.slice_util.assertParamsValid({ ...x, shape: x.shape }, begin, size)
    return slice(x, begin, size)
  },
  PadV2: (inputs, attributes) => {
    const x = input(inputs, "x")
    const value = attributes["paddings"]
    const pairs = Array.isArray(value) ? value.map((pair) => (Array.isArray(pair) ? pair.map(Number) : [0, 0])) : []
    const shape = x.shape.map((size, i) => size + (pairs[i]?.[0] ?? 0) + (pairs[i]?.[1] ?? 0))
    const pads = integers([...pairs.map((pair) => pair[0] ?? 0), ...pairs.map((pair) => pair[1] ?? 0)])
    return node("Pad", [x, pads, like(x, number(attributes, "constantValue"))], shape, x.dtype)
  },
  Tile: (inputs, attributes) => {
    const x = input(inputs, "x")
    const reps = numbers(attributes, "reps")
    return node(
      "Tile",
      [x, integers(reps)],
      x.shape.map((size, i) => size * (reps[i] ?? 1)),
      x.dtype
    )
  },
  Fill: (_, attributes) => fill(number(attributes, "value"), numbers(attributes, "shape"), dtypeOf(attributes)),
  ZerosLike: (inputs) => fill(0, input(inputs, "x").shape, input(inputs, "x").dtype),
  OnesLike: (inputs) => fill(1, input(inputs, "x").shape, input(inputs, "x").dtype)
} satisfies { readonly [kernel: string]: Rule }
