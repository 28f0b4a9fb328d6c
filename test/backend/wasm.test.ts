import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor, tf } from "homodistil/backend"
import { engines, evaluateWith, on } from "./engines.ts"

describe("WebAssembly's sums of segments", () => {
  it("are those of the plain backend, for rows of any rank", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
        async (ids, inner) => {
          const shape = [ids.length, ...inner]
          const x = Tensor.host(
            Array.from({ length: Tensor.elements(shape) }, (_, i) => i),
            shape
          )
          const sums = evaluateWith({ x, ids: Tensor.host(ids, [ids.length], "int32") }, ({ x, ids }) =>
            x === undefined || ids === undefined ? {} : { sums: tf.unsortedSegmentSum(x, ids as tf.Tensor1D, 4) }
          )
          assert.deepStrictEqual(await on(engines.wasm, sums), await on(engines.cpu, sums))
        }
      ),
      { numRuns: 20 }
    ))
})
