import type { HostTensor } from "../../backend/index.ts"
import { elementType, type Graph } from "./Graph.ts"
import type { Make } from "./Matrices.ts"

/**
 * The largest code of a weight. Seven bits, so that no processor's products of bytes overflow: without VNNI two products with codes of the
 * other side (up to 255) are added in 16 bits, and 2 · 255 · 64 fits where 2 · 255 · 127 does not.
 */
export const largest = 64

/** The largest code of a table that nothing is multiplied with. */
const largestOfTables = 127

/** A matrix in bytes: code × the scale of its row is about the number. */
export interface Codes {
  /** Row after row, as the matrix. */
  readonly codes: Int8Array
  /** One for each row; above 0. */
  readonly scales: Float32Array
}

/** The scale on which a row's largest magnitude is `top`; one so small that float32 has no such number counts as 0. */
const scaleOf = (magnitude: number, top: number): number => {
  const scale = Math.fround(magnitude / top)
  return scale < 2 ** -126 ? 1 : scale
}

/**
 * A matrix in bytes, each row on a scale of its own, on which its largest magnitude is `top`. Each number comes back to within half a scale.
 *
 * @example
 * ```ts
 * import { Onnx } from "homodistil/checkpoint"
 * import { Tensor } from "homodistil/backend"
 * const { codes, scales } = Onnx.quantise(Tensor.host([0.5, -1, 0, 0], [2, 2]))
 * assert.deepEqual([[...codes], scales[0]], [[32, -64, 0, 0], 1 / 64])
 * ```
 */
export const quantise = ({ shape, data }: HostTensor, top: number = largest): Codes => {
  const [rows = 0, columns = 0] = shape
  const scales = Float32Array.from({ length: rows }, (_, r) => {
    let magnitude = 0
    for (let c = 0; c < columns; c++) magnitude = Math.max(magnitude, Math.abs(data[r * columns + c] ?? 0))
    return scaleOf(magnitude, top)
  })
  const codes = Int8Array.from(data, (x, i) => {
    const code = Math.round(x / (scales[Math.floor(i / columns)] ?? 1))
    return Math.max(-top, Math.min(top, code))
  })
  return { codes, scales }
}

/** Bytes of a matrix [rows, columns], transposed. */
export const transpose = (codes: Int8Array, rows: number, columns: number): Int8Array => {
  const turned = new Int8Array(codes.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = codes[r * columns + c] ?? 0
  return turned
}

/** What a product of bytes takes of a value: its codes, their scale and their zero. */
const dynamic = (graph: Graph) => {
  const known = new Map<string, ReadonlyArray<string>>()
  return (x: string): ReadonlyArray<string> => {
    const made = known.get(x) ?? graph.nodes("DynamicQuantizeLinear", [x], 3)
    known.set(x, made)
    return made
  }
}

/**
 * Matrices of int8: weights by `quantise`, what they are multiplied with by DynamicQuantizeLinear, in the form onnxruntime's own quantiser
 * writes, which it fuses when it loads the graph. A table that is also a weight stands once.
 */
export const int8: Make = (graph, find, shared) => {
  const activation = dynamic(graph)
  const made = new Map<string, Codes>()
  const codesOf = (name: string, top: number): Codes => {
    if (!shared.has(name)) return quantise(find(name), top)
    const codes = made.get(name) ?? quantise(find(name))
    made.set(name, codes)
    return codes
  }
  const scales = (name: string, { scales: data }: Codes): string =>
    graph.initializer({ name: `${name}.scale`, shape: [data.length], type: "float32", data })
  const table = (name: string, { codes }: Codes): string =>
    graph.initializer({ name: `${name}.int8`, shape: find(name).shape, type: "int8", data: codes })
  const factor = (name: string, codes: Codes): string => {
    if (shared.has(name)) return graph.node("Transpose", [table(name, codes)], { perm: [1, 0] })
    const [rows = 0, columns = 0] = find(name).shape
    const data = transpose(codes.codes, rows, columns)
    return graph.initializer({ name: `${name}.transposed.int8`, shape: [columns, rows], type: "int8", data })
  }
  return {
    rows: (name, ids) => {
      const codes = codesOf(name, largestOfTables)
      const rows = graph.node("Gather", [table(name, codes), ids], { axis: 0 })
      const each = graph.node("Gather", [scales(name, codes), ids], { axis: 0 })
      const numbers = graph.node("Cast", [rows], { to: elementType.float32 })
      return graph.node("Mul", [numbers, graph.node("Unsqueeze", [each, graph.integers(-1)])])
    },
    dense: (weight, bias, x) => {
      const codes = codesOf(weight, largest)
      const [bytes = "", scale = "", zero = ""] = activation(x)
      const product = graph.node("MatMulInteger", [bytes, factor(weight, codes), zero])
      const factors = graph.node("Mul", [scale, scales(weight, codes)])
      const numbers = graph.node("Mul", [graph.node("Cast", [product], { to: elementType.float32 }), factors])
      return graph.node("Add", [numbers, graph.parameter(bias, find(bias))])
    }
  }
}
