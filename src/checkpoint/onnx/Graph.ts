import type { HostTensor } from "../../backend/index.ts"

/** The element types of an exported graph, with ONNX's numbers for them (TensorProto.DataType). */
export const elementType = { float32: 1, int8: 3, int64: 7 } as const

/** An element type of an exported graph. */
export type ElementType = keyof typeof elementType

/** A node's attribute: a whole number, a list of such, or a number under `float`. */
export type Attribute = number | ReadonlyArray<number> | { readonly float: number }

/** A node: its operator and the names of the values it takes and makes. */
export interface Node {
  readonly op: string
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly attributes: { readonly [name: string]: Attribute }
}

/** A constant that the file holds, its numbers little-endian in the order of its shape. */
export interface Initializer {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly type: ElementType
  readonly data: Float32Array | Int8Array | BigInt64Array
}

/** A graph under construction; nodes are in the order in which they can run. */
export interface Graph {
  /** Appends a node with one output, gives the output's name. */
  readonly node: (op: string, inputs: ReadonlyArray<string>, attributes?: Node["attributes"]) => string
  /** Appends a node with several outputs. */
  readonly nodes: (
    op: string,
    inputs: ReadonlyArray<string>,
    outputs: number,
    attributes?: Node["attributes"]
  ) => ReadonlyArray<string>
  /** Calls a value by another name: an output's. */
  readonly rename: (value: string, name: string) => void
  /** Adds a constant under a name, unless it is there, and gives the name. */
  readonly initializer: (constant: Initializer) => string
  /** A float32 number as a constant. */
  readonly number: (value: number) => string
  /** Whole numbers (a shape, axes, an index) as an int64 constant of rank 1. */
  readonly integers: (...values: ReadonlyArray<number>) => string
  /** A parameter as it is, under a name. */
  readonly parameter: (name: string, tensor: HostTensor) => string
  readonly contents: () => { readonly nodes: ReadonlyArray<Node>; readonly initializers: ReadonlyArray<Initializer> }
}

const floats = ({ data }: HostTensor): Float32Array => {
  if (data instanceof Float32Array) return data
  throw new RangeError("a parameter holds float32")
}

/**
 * Starts an empty graph.
 *
 * @example
 * ```ts
 * import { Onnx } from "homodistil/checkpoint"
 * const graph = Onnx.Graph.make()
 * graph.rename(graph.node("Add", ["x", graph.number(1)]), "y")
 * assert.deepEqual(graph.contents().nodes[0]?.outputs, ["y"])
 * ```
 */
export const make = (): Graph => {
  const list: Array<{
    op: string
    inputs: ReadonlyArray<string>
    outputs: Array<string>
    attributes: Node["attributes"]
  }> = []
  const initializers = new Map<string, Initializer>()
  const counts = new Map<string, number>()
  const fresh = (op: string): string => {
    const count = counts.get(op) ?? 0
    counts.set(op, count + 1)
    return `${op}_${count}`
  }

  const nodes: Graph["nodes"] = (op, inputs, outputs, attributes = {}) => {
    const name = fresh(op)
    const made = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}_${i}`))
    list.push({ op, inputs, outputs: made, attributes })
    return made
  }

  const initializer: Graph["initializer"] = (constant) => {
    if (!initializers.has(constant.name)) initializers.set(constant.name, constant)
    return constant.name
  }

  return {
    node: (op, inputs, attributes) => nodes(op, inputs, 1, attributes)[0] ?? "",
    nodes,
    rename: (value, name) => {
      for (const { outputs } of list) {
        const at = outputs.indexOf(value)
        if (at >= 0) outputs[at] = name
      }
    },
    initializer,
    number: (value) =>
      initializer({ name: `number_${value}`, shape: [], type: "float32", data: Float32Array.of(value) }),
    integers: (...values) =>
      initializer({
        name: `integers_${values.join("_")}`,
        shape: [values.length],
        type: "int64",
        data: BigInt64Array.from(values, BigInt)
      }),
    parameter: (name, tensor) => initializer({ name, shape: tensor.shape, type: "float32", data: floats(tensor) }),
    contents: () => ({ nodes: [...list], initializers: [...initializers.values()] })
  }
}
