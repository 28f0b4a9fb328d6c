import { assert, describe, it } from "@effect/vitest"
import { Onnx } from "homodistil/checkpoint"

describe("a graph", () => {
  it("gives each value a name of its own, and keeps nodes in their order", () => {
    const graph = Onnx.Graph.make()
    const a = graph.node("Add", ["x", graph.number(1)])
    const [b = "", c = "", d = ""] = graph.nodes("DynamicQuantizeLinear", [a], 3)
    const e = graph.node("Add", [b, c])
    assert.strictEqual(new Set([a, b, c, d, e]).size, 5)
    assert.deepStrictEqual(
      graph.contents().nodes.map(({ op }) => op),
      ["Add", "DynamicQuantizeLinear", "Add"]
    )
  })

  it("holds equal constants once", () => {
    const graph = Onnx.Graph.make()
    assert.strictEqual(graph.number(0.5), graph.number(0.5))
    assert.notStrictEqual(graph.integers(1, 0), graph.integers(10))
    assert.strictEqual(graph.integers(0, 0, -1), graph.integers(0, 0, -1))
    assert.lengthOf(graph.contents().initializers, 4)
  })

  it("takes no integers for a parameter", () => {
    const integers = { shape: [1], dtype: "int32", data: Int32Array.of(1) } as const
    assert.throws(() => Onnx.Graph.make().parameter("p", integers), /float32/)
  })
})
