import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor } from "homodistil/backend"
import { Onnx } from "homodistil/checkpoint"
import { float32, transpose } from "../../../src/checkpoint/onnx/float32.ts"

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 6 }) })
  .map(({ rows, columns }) =>
    Tensor.host(
      Array.from({ length: rows * columns }, (_, i) => i),
      [rows, columns]
    )
  )

describe("float32", () => {
  it("transposes a weight, which comes back when it is transposed again", () => {
    fc.assert(
      fc.property(matrices, (matrix) => {
        const [rows = 0, columns = 0] = matrix.shape
        const turned = transpose(matrix)
        assert.deepStrictEqual([...turned.shape], [columns, rows])
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < columns; c++) assert.strictEqual(turned.data[c * rows + r], matrix.data[r * columns + c])
        assert.deepStrictEqual(transpose(turned), matrix)
      })
    )
  })

  it("keeps a table that is also a weight once, as it is", () => {
    const graph = Onnx.Graph.make()
    const tensors: { readonly [name: string]: ReturnType<typeof Tensor.host> } = {
      words: Tensor.host([1, 2, 3, 4], [2, 2]),
      bias: Tensor.host([0, 0])
    }
    const matrices = float32(graph, (name) => tensors[name] ?? assert.fail(name), new Set(["words"]))
    matrices.dense("words", "bias", matrices.rows("words", "ids"))
    assert.deepStrictEqual(
      graph.contents().initializers.map(({ name }) => name),
      ["words", "bias"]
    )
  })
})
