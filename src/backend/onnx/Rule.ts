import * as tf from "@tensorflow/tfjs-core"
import { graph, nameOf, symbol } from "./TracingBackend.ts"
import { type Attributes, elementType, type OnnxType } from "./Graph.ts"

/** How one tfjs kernel is written into the graph that is being recorded. */
export type Rule = (inputs: tf.NamedTensorInfoMap, attributes: tf.NamedAttrMap) => tf.TensorInfo | Array<tf.TensorInfo>

/** The input of a kernel that has this name; a defect when the kernel was called without it. */
export const input = (inputs: tf.NamedTensorInfoMap, name: string): tf.TensorInfo => {
  const found = inputs[name]
  if (found === undefined || Array.isArray(found)) throw new RangeError(`the kernel has no input ${name}`)
  return found
}

/** All inputs of a kernel that takes a list, in order. */
export const inputList = (inputs: tf.NamedTensorInfoMap): ReadonlyArray<tf.TensorInfo> =>
  Object.values(inputs).flatMap((tensor: tf.TensorInfo | ReadonlyArray<tf.TensorInfo> | undefined) => tensor ?? [])

/** Appends a node over tensors and returns the tensor it makes. */
export const node = (
  op: string,
  inputs: ReadonlyArray<tf.TensorInfo>,
  shape: ReadonlyArray<number>,
  dtype: tf.DataType,
  attributes: Attributes = {},
  domain = ""
): tf.TensorInfo => symbol(graph().node(op, inputs.map(nameOf), attributes, domain, shape), shape, dtype)

/** A constant of the graph as a tensor. */
export const constant = (
  values: ArrayLike<number>,
  shape: ReadonlyArray<number>,
  type: OnnxType = "float32"
): tf.TensorInfo => symbol(graph().constant(values, shape, type), shape, type === "int64" ? "int32" : type)

/** A number as a constant of the tensor's own element type. */
export const like = (x: tf.TensorInfo, value: number): tf.TensorInfo =>
  constant([value], [], x.dtype === "int32" ? "int32" : x.dtype === "bool" ? "bool" : "float32")

/** A list of integers (a shape, axes, sizes) as ONNX wants it: an int64 tensor of rank 1. */
export const integers = (values: ReadonlyArray<number>): tf.TensorInfo => constant(values, [values.length], "int64")

/** The number that all elements of a tensor are, where that is known while recording. */
export const uniform = (x: tf.TensorInfo): number | undefined => graph().uniform(nameOf(x))

/** The same value under another shape, without a node. */
export const alias = (x: tf.TensorInfo, shape: ReadonlyArray<number> = x.shape): tf.TensorInfo =>
  symbol(nameOf(x), shape, x.dtype)

/** ONNX's number for a tfjs element type. */
export const onnxType = (dtype: tf.DataType): number =>
  dtype === "int32" ? elementType.int32 : dtype === "bool" ? elementType.bool : elementType.float32

/** The tensor under another element type. */
export const cast = (x: tf.TensorInfo, dtype: tf.DataType): tf.TensorInfo =>
  x.dtype === dtype ? x : node("Cast", [x], x.shape, dtype, { to: { int: onnxType(dtype) } })

/** The shape two operands broadcast to. */
export const broadcast = (a: tf.TensorInfo, b: tf.TensorInfo): Array<number> =>
  tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape)

/** A numeric attribute of a kernel. */
export const number = (attributes: tf.NamedAttrMap, name: string, otherwise = 0): number => {
  const value = attributes[name]
  return typeof value === "number" ? value : otherwise
}

/** A true-or-false attribute of a kernel. */
export const flag = (attributes: tf.NamedAttrMap, name: string): boolean => attributes[name] === true

/** An attribute that is a list of numbers (a single number counts as a list of one). */
export const numbers = (attributes: tf.NamedAttrMap, name: string): ReadonlyArray<number> => {
  const value = attributes[name]
  if (typeof value === "number") return [value]
  return Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(Object.values(value), Number) : []
}

/** A possibly negative axis as an index from the front. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** The element type a kernel's attribute asks for; a defect for a type that a compiled text cannot hold. */
export const dtypeOf = (attributes: tf.NamedAttrMap): "float32" | "int32" | "bool" => {
  const dtype: unknown = attributes["dtype"]
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype
  throw new RangeError(`a compiled text holds float32, int32 and bool, not ${String(dtype)}`)
}
