import onnxProto from "onnx-proto"
import { Buffer } from "node:buffer"
import type { TensorSpec } from "../Tensor.ts"

const { onnx } = onnxProto

/** Element types of an ONNX graph; int64 only ever holds shapes and axes. */
export type OnnxType = "float32" | "int32" | "int64" | "bool"

/** ONNX's numbers for element types (TensorProto.DataType). */
export const elementType: { readonly [T in OnnxType]: number } = { float32: 1, int32: 6, int64: 7, bool: 9 }

/** A node's attribute, by ONNX's name of its kind. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: ReadonlyArray<number> }
  | { readonly string: string }

/** The attributes of a node. */
export type Attributes = { readonly [name: string]: Attribute }

interface Node {
  readonly op: string
  readonly domain: string
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly attributes: Attributes
}

/** A graph under construction: nodes and constants are appended while a text is traced, then encoded once. */
export interface Graph {
  /** Appends a node with one output and returns the output's name. */
  readonly node: (op: string, inputs: ReadonlyArray<string>, attributes?: Attributes, domain?: string) => string
  /** Appends a node with several outputs. */
  readonly nodes: (
    op: string,
    inputs: ReadonlyArray<string>,
    outputs: number,
    attributes?: Attributes,
    domain?: string
  ) => ReadonlyArray<string>
  /** A constant; equal small constants share one name, so that equal sub-graphs stay equal. */
  readonly constant: (values: ArrayLike<number>, shape: ReadonlyArray<number>, type: OnnxType) => string
  readonly size: () => number
  /** How many nodes there are of each operator: what a golden test pins. */
  readonly census: () => ReadonlyMap<string, number>
  /** The serialised ONNX model with the given inputs and outputs (name of the value → name outside). */
  readonly encode: (inputs: ReadonlyArray<Port>, outputs: ReadonlyArray<Port>) => Uint8Array
}

/** An input or output of a graph: the value's name inside, the name outside, and what it holds. */
export interface Port {
  readonly value: string
  readonly name: string
  readonly spec: TensorSpec
}

const bytesOf = (values: ArrayLike<number>, type: OnnxType): Uint8Array => {
  const array =
    type === "float32"
      ? Float32Array.from(values)
      : type === "int32"
        ? Int32Array.from(values)
        : type === "int64"
          ? BigInt64Array.from(Array.from(values, BigInt))
          : Uint8Array.from(values)
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

const encodeAttribute = ([name, a]: readonly [string, Attribute]) =>
  "int" in a
    ? { name, type: 2, i: a.int }
    : "float" in a
      ? { name, type: 1, f: a.float }
      : "ints" in a
        ? { name, type: 7, ints: [...a.ints] }
        : { name, type: 3, s: Buffer.from(a.string) }

const encodePort = (name: string, { dtype, shape }: TensorSpec) => ({
  name,
  type: { tensorType: { elemType: elementType[dtype], shape: { dim: shape.map((dimValue) => ({ dimValue })) } } }
})

/** Constants up to this many elements are compared by content and shared. */
const SHARED = 64

/** Starts an empty graph (ONNX opset 17 and ONNX Runtime's own operators). */
export const make = (): Graph => {
  const list: Array<Node> = []
  const initializers: Array<{ name: string; dims: Array<number>; dataType: number; rawData: Uint8Array }> = []
  const shared = new Map<string, string>()
  let names = 0

  const nodes: Graph["nodes"] = (op, inputs, outputs, attributes = {}, domain = "") => {
    const produced = Array.from({ length: outputs }, () => `t${names++}`)
    list.push({ op, domain, inputs, outputs: produced, attributes })
    return produced
  }

  const constant: Graph["constant"] = (values, shape, type) => {
    const key = values.length <= SHARED ? `${type}:${shape.join(",")}:${Array.from(values).join(",")}` : undefined
    const known = key === undefined ? undefined : shared.get(key)
    if (known !== undefined) return known
    const name = `c${names++}`
    initializers.push({ name, dims: [...shape], dataType: elementType[type], rawData: bytesOf(values, type) })
    if (key !== undefined) shared.set(key, name)
    return name
  }

  const encode: Graph["encode"] = (inputs, outputs) => {
    // A produced value takes its outside name at once; a value that is handed through, or asked for twice, needs a copy.
    const producedHere = new Set(list.flatMap((node) => node.outputs))
    const rename = new Map<string, string>()
    const copies: Array<Node> = []
    for (const { value, name } of outputs) {
      if (producedHere.has(value) && !rename.has(value)) rename.set(value, name)
      else copies.push({ op: "Identity", domain: "", inputs: [value], outputs: [name], attributes: {} })
    }
    const renamed = (name: string): string => rename.get(name) ?? name
    return onnx.ModelProto.encode({
      irVersion: 8,
      opsetImport: [
        { domain: "", version: 17 },
        { domain: "com.microsoft", version: 1 }
      ],
      graph: {
        name: "homodistil",
        node: [...list, ...copies].map((node) => ({
          opType: node.op,
          domain: node.domain,
          input: node.inputs.map(renamed),
          output: node.outputs.map(renamed),
          attribute: Object.entries(node.attributes).map(encodeAttribute)
        })),
        initializer: initializers,
        input: inputs.map(({ value, spec }) => encodePort(value, spec)),
        output: outputs.map(({ name, spec }) => encodePort(name, spec))
      }
    }).finish()
  }

  return {
    node: (op, inputs, attributes, domain) => nodes(op, inputs, 1, attributes, domain)[0] ?? "",
    nodes,
    constant,
    size: () => list.length,
    census: () => {
      const counts = new Map<string, number>()
      for (const { op } of list) counts.set(op, (counts.get(op) ?? 0) + 1)
      return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    },
    encode
  }
}
