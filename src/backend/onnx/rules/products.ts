import * as tf from "@tensorflow/tfjs-core"
import { elements } from "../../Tensor.ts"
import { axisOf, cast, constant, flag, input, integers, like, node, number, type Rule } from "../Rule.ts"

/** ONNX Runtime's product with transposes and a factor folded in. */
export const product = (
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  options: { readonly transposeA?: boolean; readonly transposeB?: boolean; readonly alpha?: number } = {}
): tf.TensorInfo => {
  const rows = a.shape.at(options.transposeA ? -1 : -2) ?? 1
  const columns = b.shape.at(options.transposeB ? -2 : -1) ?? 1
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const attributes = {
    transA: { int: options.transposeA ? 1 : 0 },
    transB: { int: options.transposeB ? 1 : 0 },
    alpha: { float: options.alpha ?? 1 }
  }
  const shape = [...batch, rows, columns]
  return shape.length === 2
    ? node("Gemm", [a, b], shape, "float32", attributes)
    : node("FusedMatMul", [a, b], shape, "float32", attributes, "com.microsoft")
}

const ones = (length: number, shape: ReadonlyArray<number>): tf.TensorInfo =>
  constant(new Float32Array(length).fill(1), shape)

/** The sum of a matrix's rows, [rows, width] → [width], as a product with ones: several times faster than the runtime's own reduction. */
export const sumOfRows = (x: tf.TensorInfo): tf.TensorInfo => {
  const [rows = 1, width = 1] = x.shape
  return node("MatMul", [ones(rows, [rows]), x], [width], "float32")
}

/** The sum of each row's squares, [rows, width] → [rows, 1, 1], as each row's product with itself: in one pass, without the squares. */
export const squaresOfRows = (x: tf.TensorInfo): tf.TensorInfo => {
  const [rows = 1, width = 1] = x.shape
  const each = node("Reshape", [x, integers([rows, 1, width])], [rows, 1, width], "float32")
  return product(each, each, { transposeB: true })
}

/** The sum of each row of a matrix, [rows, width] → [rows, 1], as a product with ones. */
export const sumsOfRows = (x: tf.TensorInfo): tf.TensorInfo => {
  const [rows = 1, width = 1] = x.shape
  return node("MatMul", [x, ones(width, [width, 1])], [rows, 1], "float32")
}

/** Kernels that multiply matrices, or pick rows of them and add rows up. */
export const products = {
  BatchMatMul: (inputs, attributes) =>
    product(input(inputs, "a"), input(inputs, "b"), {
      transposeA: flag(attributes, "transposeA"),
      transposeB: flag(attributes, "transposeB")
    }),
  GatherV2: (inputs, attributes) => {
    const [x, indices] = [input(inputs, "x"), input(inputs, "indices")]
    if (number(attributes, "batchDims") !== 0) throw new RangeError("a compiled text gathers without batch dimensions")
    const axis = axisOf(number(attributes, "axis"), x.shape.length)
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]
    return node("Gather", [x, indices], shape, x.dtype, { axis: { int: axis } })
  },
  UnsortedSegmentSum: (inputs, attributes) => {
    const [x, ids] = [cast(input(inputs, "x"), "float32"), input(inputs, "segmentIds")]
    const segments = number(attributes, "numSegments")
    const rows = elements(ids.shape)
    const inner = x.shape.slice(ids.shape.length)
    const width = elements(inner)
    // ScatterElements, not ScatterND: the latter's additions race when an index repeats and more than one thread runs,
    // and the tokens of a batch always repeat.
    const zeros = node("Expand", [like(x, 0), integers([segments, width])], [segments, width], x.dtype)
    const column = node("Reshape", [ids, integers([rows, 1])], [rows, 1], "int32")
    const index = node("Expand", [column, integers([rows, width])], [rows, width], "int32")
    const values = node("Reshape", [x, integers([rows, width])], [rows, width], x.dtype)
    const sums = node("ScatterElements", [zeros, index, values], [segments, width], x.dtype, {
      axis: { int: 0 },
      reduction: { string: "add" }
    })
    const shape = [segments, ...inner]
    return shape.length === 2 ? sums : node("Reshape", [sums, integers(shape)], shape, x.dtype)
  },
  OneHot: (inputs, attributes) => {
    // Equal rather than ONNX's OneHot, which counts negative indices from the end: in tfjs they have no entry
    const indices = input(inputs, "indices")
    const dtype = attributes["dtype"] === "int32" ? "int32" : "float32"
    const depth = number(attributes, "depth")
    const shape = [...indices.shape, depth]
    const column = node("Reshape", [indices, integers([...indices.shape, 1])], [...indices.shape, 1], "int32")
    const classes = constant(
      Array.from({ length: depth }, (_, i) => i),
      [depth],
      "int32"
    )
    const value = (name: string, otherwise: number) => constant([number(attributes, name, otherwise)], [], dtype)
    const hit = node("Equal", [column, classes], shape, "bool")
    return node("Where", [hit, value("onValue", 1), value("offValue", 0)], shape, dtype)
  }
} satisfies { readonly [kernel: string]: Rule }
