import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"

describe("Tensor", () => {
  it("makes specs and counts their elements", () => {
    assert.deepStrictEqual(Tensor.float(2, 3), { shape: [2, 3], dtype: "float32" })
    assert.deepStrictEqual(Tensor.int(4), { shape: [4], dtype: "int32" })
    assert.deepStrictEqual([[], [0, 3], [2, 3, 4]].map(Tensor.elements), [1, 0, 24])
  })

  it("makes host tensors whose numbers are of the type asked for", () => {
    assert.deepStrictEqual(Tensor.host([1, 2]), { shape: [2], dtype: "float32", data: Float32Array.of(1, 2) })
    assert.deepStrictEqual(Tensor.host([1.9], [1, 1], "int32").data, Int32Array.of(1))
    assert.deepStrictEqual(Tensor.scalar(3), { shape: [], dtype: "float32", data: Float32Array.of(3) })
  })
})
