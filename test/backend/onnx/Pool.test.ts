import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Pool from "../../../src/backend/onnx/Pool.ts"

describe("the pool of arrays", () => {
  it("gives out no array twice, and always of the type and length asked for", () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ take: fc.boolean(), int: fc.boolean(), length: fc.nat({ max: 3 }) }), { maxLength: 60 }),
        (actions) => {
          const pool = Pool.make()
          const out: Array<Float32Array | Int32Array> = []
          for (const { take, int, length } of actions) {
            const given = take ? undefined : out.shift()
            if (given !== undefined) pool.give(given)
            if (!take) continue
            const array = pool.take(int ? "int32" : "float32", length)
            assert.isFalse(out.includes(array))
            assert.deepStrictEqual([array.length, array instanceof Int32Array], [length, int])
            out.push(array)
          }
        }
      )
    ))

  it("gives an array again once it came back, keeps no more than its bound, and forgets when told", () => {
    const pool = Pool.make(1)
    const [a, b] = [pool.take("float32", 2), pool.take("float32", 2)]
    pool.give(a)
    pool.give(b)
    assert.strictEqual(pool.take("float32", 2), a)
    assert.notStrictEqual(pool.take("float32", 2), b)
    pool.give(a)
    pool.clear()
    assert.notStrictEqual(pool.take("float32", 2), a)
  })
})
