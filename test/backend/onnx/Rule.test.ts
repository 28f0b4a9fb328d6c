import { assert, describe, it } from "@effect/vitest"
import type { tf } from "homodistil/backend"
import * as Rule from "../../../src/backend/onnx/Rule.ts"

const info = (...shape: Array<number>): tf.TensorInfo => ({ dataId: {}, shape, dtype: "float32" })

describe("reading what a kernel was called with", () => {
  it("finds inputs by name, and all of a list in order", () => {
    const [a, b] = [info(1), info(2)]
    assert.strictEqual(Rule.input({ a, b }, "b"), b)
    assert.throws(() => Rule.input({ a }, "b"), /no input b/)
    assert.deepStrictEqual(Rule.inputList({ a, b }), [a, b])
  })

  it("reads attributes by their kind", () => {
    const attributes = { n: 2, on: true, list: [1, 2], dtype: "int32", typed: Int32Array.of(3, 4) }
    assert.deepStrictEqual(
      [Rule.number(attributes, "n"), Rule.number(attributes, "x"), Rule.number(attributes, "x", 7)],
      [2, 0, 7]
    )
    assert.deepStrictEqual([Rule.flag(attributes, "on"), Rule.flag(attributes, "off")], [true, false])
    const lists = ["n", "list", "typed", "none"].map((name) => Rule.numbers(attributes as never, name))
    assert.deepStrictEqual(lists, [[2], [1, 2], [3, 4], []])
    assert.strictEqual(Rule.dtypeOf(attributes as never), "int32")
    assert.throws(() => Rule.dtypeOf({ dtype: "string" }), /not string/)
  })

  it("counts axes from either end, and knows what shapes broadcast to", () => {
    assert.deepStrictEqual([Rule.axisOf(-1, 3), Rule.axisOf(1, 3)], [2, 1])
    assert.deepStrictEqual(Rule.broadcast(info(4, 1), info(3)), [4, 3])
  })

  it("knows ONNX's numbers of the types", () =>
    assert.deepStrictEqual((["float32", "int32", "bool"] as const).map(Rule.onnxType), [1, 6, 9]))

  it("is a defect outside of a recording", () => assert.throws(() => Rule.constant([1], []), /finished recording/))
})
