import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { uniformResult } from "../../../src/backend/onnx/uniform.ts"

const { fround } = Math
const number = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e10, max: 1e10 })

describe("a value whose elements are all one number", () => {
  it("makes such values by arithmetic, rounded to float32", () =>
    fc.assert(
      fc.property(number, number, (a, b) => {
        assert.strictEqual(uniformResult("Add", [a, b]), fround(a + b))
        assert.strictEqual(uniformResult("Sub", [a, b]), fround(a - b))
        assert.strictEqual(uniformResult("Mul", [a, b]), fround(a * b))
        assert.strictEqual(uniformResult("Neg", [a]), -a)
        assert.strictEqual(uniformResult("Sqrt", [Math.abs(a)]), fround(Math.sqrt(Math.abs(a))))
      })
    ))

  it("makes none where an operand is not known, nor where the result is no number", () => {
    assert.isUndefined(uniformResult("Add", [1, undefined]))
    assert.isUndefined(uniformResult("Mul", [undefined, 0]))
    assert.isUndefined(uniformResult("Div", [1, 0]))
    assert.isUndefined(uniformResult("Reciprocal", [0]))
    assert.isUndefined(uniformResult("Sqrt", [-1]))
    assert.isUndefined(uniformResult("ReduceSum", [1]))
  })

  it("is moved and spread without change, whatever the sizes are", () => {
    for (const op of ["Reshape", "Expand", "Transpose", "Tile", "Slice"])
      assert.strictEqual(uniformResult(op, [7, undefined]), 7)
  })
})
