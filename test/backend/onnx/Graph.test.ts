import { assert, describe, it } from "@effect/vitest"
import onnxProto from "onnx-proto"
import * as Graph from "../../../src/backend/onnx/Graph.ts"

const scalar = { shape: [], dtype: "float32" } as const

describe("Graph", () => {
  it("shares small constants that are equal, and no others", () => {
    const graph = Graph.make()
    assert.strictEqual(graph.constant([1, 2], [2], "float32"), graph.constant([1, 2], [2], "float32"))
    const others = [
      graph.constant([1, 2], [2], "float32"),
      graph.constant([1, 2], [1, 2], "float32"),
      graph.constant([1, 2], [2], "int32"),
      graph.constant([1, 3], [2], "float32")
    ]
    assert.strictEqual(new Set(others).size, others.length)
    const large = () => graph.constant(new Float32Array(65), [65], "float32")
    assert.notStrictEqual(large(), large())
  })

  it("counts nodes by operator, in the order of their names", () => {
    const graph = Graph.make()
    const a = graph.node("Neg", ["in:x"])
    graph.node("Add", [a, a])
    graph.nodes("Split", [a], 2)
    graph.node("Neg", [a])
    assert.deepStrictEqual(
      [...graph.census()],
      [
        ["Add", 1],
        ["Neg", 2],
        ["Split", 1]
      ]
    )
    assert.strictEqual(graph.size(), 4)
  })

  it("lists what was recorded: nodes in their order, constants with their values", () => {
    const graph = Graph.make()
    const one = graph.constant([1], [], "float32")
    const sizes = graph.constant([2, 3], [2], "int64")
    const a = graph.node("Add", ["in:x", one])
    const b = graph.node("Expand", [a, sizes])
    const { nodes, constants } = graph.contents()
    assert.deepStrictEqual(
      nodes.map(({ op, inputs, outputs }) => [op, inputs, outputs]),
      [
        ["Add", ["in:x", one], [a]],
        ["Expand", [a, sizes], [b]]
      ]
    )
    assert.deepStrictEqual(constants, [
      { name: one, shape: [], type: "float32", values: Float32Array.of(1) },
      { name: sizes, shape: [2], type: "int64", values: BigInt64Array.of(2n, 3n) }
    ])
  })

  it("encodes types, attributes and constants as ONNX wants them", () => {
    const graph = Graph.make()
    const whole = graph.constant([1, 2], [2], "int64")
    const y = graph.node(
      "Odd",
      ["in:x", whole],
      { i: { int: 2 }, f: { float: 0.5 }, l: { ints: [1, 2] }, s: { string: "add" } },
      "com.microsoft"
    )
    const bytes = graph.encode(
      [{ value: "in:x", name: "in:x", spec: { shape: [2, 3], dtype: "int32" } }],
      [{ value: y, name: "out:y", spec: scalar }]
    )
    const { graph: decoded, opsetImport } = onnxProto.onnx.ModelProto.decode(bytes)
    assert.deepStrictEqual(
      opsetImport.map(({ version }) => Number(version)),
      [17, 1]
    )
    const node = decoded?.node?.[0]
    assert.deepStrictEqual([node?.opType, node?.domain, node?.output], ["Odd", "com.microsoft", ["out:y"]])
    assert.deepStrictEqual(
      node?.attribute?.map(({ name }) => name),
      ["i", "f", "l", "s"]
    )
    const constant = decoded?.initializer?.[0]
    assert.deepStrictEqual([constant?.dataType, constant?.dims?.map(Number)], [Graph.elementType.int64, [2]])
    assert.strictEqual(decoded?.input?.[0]?.type?.tensorType?.elemType, Graph.elementType.int32)
  })

  it("copies a value that is handed through or asked for twice", () => {
    const graph = Graph.make()
    const y = graph.node("Neg", ["in:x"])
    const ports = [y, y, "in:x"].map((value, i) => ({ value, name: `out:${i}`, spec: scalar }))
    const bytes = graph.encode([{ value: "in:x", name: "in:x", spec: scalar }], ports)
    const { graph: decoded } = onnxProto.onnx.ModelProto.decode(bytes)
    assert.deepStrictEqual(
      decoded?.node?.map(({ opType, input, output }) => [opType, ...(input ?? []), ...(output ?? [])]),
      [
        ["Neg", "in:x", "out:0"],
        ["Identity", "out:0", "out:1"],
        ["Identity", "in:x", "out:2"]
      ]
    )
  })
})
