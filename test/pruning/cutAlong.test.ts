import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { cutAlong } from "homodistil/pruning"
import * as oracle from "../oracle.ts"

describe("cutAlong", () => {
  it("picks rows and columns as a plain loop does, short and long ones", () => {
    for (const [rows, columns] of [
      [3, 40],
      [40, 3]
    ] as const) {
      const lines = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_c, c) => r * columns + c))
      const whole = Tensor.host(lines.flat(), [rows, columns])
      const cut = cutAlong(cutAlong(whole, 0, Int32Array.of(0, 2)), 1, Int32Array.of(1, 2))
      assert.deepStrictEqual([...cut.data], oracle.select(lines, [0, 2], [1, 2]).flat())
    }
  })

  it("keeps integers integers", () => {
    const cut = cutAlong(Tensor.host([1, 2, 3], [3], "int32"), 0, Int32Array.of(2))
    assert.deepStrictEqual([cut.dtype, cut.data], ["int32", Int32Array.of(3)])
  })
})
