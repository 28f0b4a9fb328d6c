import onnxProto from "onnx-proto"
import { Buffer } from "node:buffer"
import type { TensorSpec } from "../Tensor.ts"
import { simplify } from "./simplify.ts"
import { uniformResult } from "./uniform.ts"

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

/** A recorded node: its operator and the names of the values it takes and makes. */
export interface Node {
  readonly op: string
  readonly domain: string
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly attributes: Attributes
  /** The shape of its only output, where the rule that made it told. */
  readonly shape?: ReadonlyArray<number>
}

/** A recorded constant: its values in the order of its shape (a bool is 0 or 1). */
export interface Constant {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly type: OnnxType
  readonly values: Float32Array | Int32Array | BigInt64Array | Uint8Array
}

/** A graph under construction: nodes and constants are appended while a text is traced, then encoded once. */
export interface Graph {
  /** Appends a node with one output and returns the output's name. */
  readonly node: (
    op: string,
    inputs: ReadonlyArray<string>,
    attributes?: Attributes,
    domain?: string,
    shape?: ReadonlyArray<number>
  ) => string
  /** Appends a node with several outputs. */
  readonly nodes: (
    op: string,
    inputs: ReadonlyArray<string>,
    outputs: number,
    attributes?: Attributes,
    domain?: string,
    shape?: ReadonlyArray<number>
  ) => ReadonlyArray<string>
  /** The number that all elements of a float32 value are, where that is known while recording. */
  readonly uniform: (value: string) => number | undefined
  /** A constant; equal small constants share one name, so that equal sub-graphs stay equal. */
  readonly constant: (values: ArrayLike<number>, shape: ReadonlyArray<number>, type: OnnxType) => string
  readonly size: () => number
  /** The nodes so far, each after those it takes values from, and the constants: for compilers other than ONNX Runtime. */
  readonly contents: () => { readonly nodes: ReadonlyArray<Node>; readonly constants: ReadonlyArray<Constant> }
  /** How many nodes there are of each operator: what a golden test pins. */
  readonly census: (nodes?: ReadonlyArray<Node>) => ReadonlyMap<string, number>
  /** The nodes that the given outputs need, with what products can take over folded into them. */
  readonly simplified: (inputs: ReadonlyArray<Port>, outputs: ReadonlyArray<Port>) => ReadonlyArray<Node>
  /** The serialised ONNX model with the given inputs and outputs (name of the value → name outside), of the simplified nodes unless given. */
  readonly encode: (
    inputs: ReadonlyArray<Port>,
    outputs: ReadonlyArray<Port>,
    nodes?: ReadonlyArray<Node>
  ) => Uint8Array
}

/** An input or output of a graph: the value's name inside, the name outside, and what it holds. */
export interface Port {
  readonly value: string
  readonly name: string
  readonly spec: TensorSpec
}

const valuesOf = (values: ArrayLike<number>, type: OnnxType): Constant["values"] =>
  type === "float32"
    ? Float32Array.from(values)
    : type === "int32"
      ? Int32Array.from(values)
      : type === "int64"
        ? BigInt64Array.from(Array.from(values, BigInt))
        : Uint8Array.from(values)

const encodeConstant = ({ name, shape, type, values }: Constant) => ({
  name,
  dims: [...shape],
  dataType: elementType[type],
  rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
})

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
  const constants: Array<Constant> = []
  const shared = new Map<string, string>()
  let names = 0

  const uniform = new Map<string, number>()

  const nodes: Graph["nodes"] = (op, inputs, outputs, attributes = {}, domain = "", shape) => {
    const produced = Array.from({ length: outputs }, () => `t${names++}`)
    list.push({ op, domain, inputs, outputs: produced, attributes, ...(shape === undefined ? {} : { shape }) })
    const known = uniformResult(
      op,
      inputs.map((input) => uniform.get(input))
    )
    if (known !== undefined && produced[0] !== undefined) uniform.set(produced[0], known)
    return produced
  }

  const constant: Graph["constant"] = (values, shape, type) => {
    const key = values.length <= SHARED ? `${type}:${shape.join(",")}:${Array.from(values).join(",")}` : undefined
    const known = key === undefined ? undefined : shared.get(key)
    if (known !== undefined) return known
    const name = `c${names++}`
    constants.push({ name, shape: [...shape], type, values: valuesOf(values, type) })
    if (key !== undefined) shared.set(key, name)
    const first = Math.fround(values[0] ?? Number.NaN)
    if (type === "float32" && key !== undefined && Array.from(values).every((value) => Math.fround(value) === first))
      uniform.set(name, first)
    return name
  }

  const simplified: Graph["simplified"] = (inputs, outputs) => {
    const shapes = new Map(inputs.map(({ value, spec }) => [value, spec.shape] as const))
    return simplify(
      { nodes: list, uniform: (value) => uniform.get(value), shape: (value) => shapes.get(value) },
      outputs.map(({ value }) => value)
    )
  }

  const encode: Graph["encode"] = (inputs, outputs, kept = simplified(inputs, outputs)) => {
    const read = new Set([...kept.flatMap((node) => node.inputs), ...outputs.map(({ value }) => value)])
    // A produced value takes its outside name at once; a value that is handed through, or asked for twice, needs a copy.
    const producedHere = new Set(kept.flatMap((node) => node.outputs))
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
        node: [...kept, ...copies].map((node) => ({
          opType: node.op,
          domain: node.domain,
          input: node.inputs.map(renamed),
          output: node.outputs.map(renamed),
          attribute: Object.entries(node.attributes).map(encodeAttribute)
        })),
        initializer: constants.filter(({ name }) => read.has(name)).map(encodeConstant),
        input: inputs.map(({ value, spec }) => encodePort(value, spec)),
        output: outputs.map(({ name, spec }) => encodePort(name, spec))
      }
    }).finish()
  }

  return {
    node: (op, inputs, attributes, domain, shape) => nodes(op, inputs, 1, attributes, domain, shape)[0] ?? "",
    nodes,
    uniform: (value) => uniform.get(value),
    constant,
    size: () => list.length,
    contents: () => ({ nodes: [...list], constants: [...constants] }),
    census: (nodes = list) => {
      const counts = new Map<string, number>()
      for (const { op } of nodes) counts.set(op, (counts.get(op) ?? 0) + 1)
      return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
    },
    simplified,
    encode
  }
}
