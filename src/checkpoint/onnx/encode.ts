import onnxProto from "onnx-proto"
import { type Attribute, elementType, type ElementType, type Graph, type Initializer, type Node } from "./Graph.ts"

const { onnx } = onnxProto

/** The version of ONNX's operators that exported graphs keep to: the first with layer normalisation. */
export const opset = 17

/** The version of the file format that came with it. */
const irVersion = 8

/** An input or output: a dimension is a size, or a name where it is free. */
export interface Port {
  readonly name: string
  readonly type: ElementType
  readonly shape: ReadonlyArray<number | string>
}

/** What surrounds a graph in a file. */
export interface Envelope {
  readonly inputs: ReadonlyArray<Port>
  readonly outputs: ReadonlyArray<Port>
  readonly producer: { readonly name: string; readonly version: string }
  /** Notes for whoever reads the file: texts by name. */
  readonly metadata: { readonly [key: string]: string }
}

const isList = (value: Attribute): value is ReadonlyArray<number> => Array.isArray(value)

const attribute = ([name, value]: readonly [string, Attribute]) =>
  typeof value === "number"
    ? { name, type: 2, i: value }
    : isList(value)
      ? { name, type: 7, ints: [...value] }
      : { name, type: 1, f: value.float }

const node = ({ op, inputs, outputs, attributes }: Node) => ({
  name: outputs[0] ?? op,
  opType: op,
  input: [...inputs],
  output: [...outputs],
  attribute: Object.entries(attributes).map(attribute)
})

const port = ({ name, type, shape }: Port) => ({
  name,
  type: {
    tensorType: {
      elemType: elementType[type],
      shape: { dim: shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size })) }
    }
  }
})

/** A number as Protocol Buffers write it: seven bits a byte, the lowest first. */
const varint = (value: number): ReadonlyArray<number> =>
  value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]

/** The bytes before a field of so many bytes. */
const fieldHead = (field: number, length: number): Uint8Array => Uint8Array.from([field * 8 + 2, ...varint(length)])

const lengthOf = (parts: ReadonlyArray<Uint8Array>): number => parts.reduce((sum, { length }) => sum + length, 0)

// numbers of fields in onnx.proto
const [modelGraph, graphInitializer, tensorRawData] = [7, 5, 9]

/** A constant as a field of its graph; its numbers are the last part, and not copied. */
const initializer = ({ name, shape, type, data }: Initializer): ReadonlyArray<Uint8Array> => {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const head = onnx.TensorProto.encode({ name, dims: [...shape], dataType: elementType[type] }).finish()
  const tensor = [head, fieldHead(tensorRawData, raw.length), raw]
  return [fieldHead(graphInitializer, lengthOf(tensor)), ...tensor]
}

/**
 * An ONNX file of a graph, in parts that follow one another: the numbers of its constants are not copied. Equal graphs give equal bytes.
 *
 * @example
 * ```ts
 * import { Onnx } from "homodistil/checkpoint"
 * const graph = Onnx.Graph.make()
 * graph.rename(graph.node("Add", ["x", graph.number(1)]), "y")
 * const port = (name: string) => ({ name, type: "float32", shape: ["n"] }) as const
 * const producer = { name: "homodistil", version: "1" }
 * const parts = Onnx.encode(graph, { inputs: [port("x")], outputs: [port("y")], producer, metadata: {} })
 * assert.ok(Buffer.concat(parts).includes("homodistil"))
 * ```
 */
export const encode = (graph: Graph, o: Envelope): ReadonlyArray<Uint8Array> => {
  const { nodes, initializers } = graph.contents()
  const structure = onnx.GraphProto.encode({
    name: "bert",
    node: nodes.map(node),
    input: o.inputs.map(port),
    output: o.outputs.map(port)
  }).finish()
  const inside = [structure, ...initializers.flatMap(initializer)]
  const model = onnx.ModelProto.encode({
    irVersion,
    opsetImport: [{ domain: "", version: opset }],
    producerName: o.producer.name,
    producerVersion: o.producer.version,
    metadataProps: Object.entries(o.metadata)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value }))
  }).finish()
  return [model, fieldHead(modelGraph, lengthOf(inside)), ...inside]
}
