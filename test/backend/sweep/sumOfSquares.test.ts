import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Arena from "../../../src/backend/sweep/Arena.ts"
import * as Runner from "../../../src/backend/sweep/Runner.ts"
import { sumOfSquares } from "../../../src/backend/sweep/sumOfSquares.ts"

const runner = Runner.make({ arena: Arena.make(4096) })
const { arena } = runner
const inside = (values: Float32Array): Float32Array => {
  const array = arena.allocate(values.length, "float32")
  array.set(values)
  return array
}
const lengths = fc.oneof(fc.nat(20), fc.constantFrom(16_383, 16_384, 16_385, 40_000))

describe("sumOfSquares", () => {
  it("is exact for small whole numbers", () =>
    fc.assert(
      fc.property(fc.array(lengths, { maxLength: 3 }), fc.integer({ min: 2, max: 300 }), (sizes, modulus) => {
        const vectors = sizes.map((length) => Float32Array.from({ length }, (_, i) => (i % modulus) - 7))
        let wanted = 0
        for (const vector of vectors) for (const value of vector) wanted += value * value
        assert.strictEqual(sumOfSquares(runner, vectors), wanted)
      }),
      { numRuns: 40 }
    ))

  it("is near the plain sum in double precision, and the same bits wherever the vectors lie", () =>
    fc.assert(
      fc.property(lengths, fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 30 }), (length, pool) => {
        const vector = Float32Array.from({ length }, (_, i) => pool[(i * 7) % pool.length] ?? 0)
        const [array, plain] = [inside(vector), vector.reduce((sum, value) => sum + value * value, 0)]
        const sum = sumOfSquares(runner, [vector])
        assert.strictEqual(sumOfSquares(runner, [array]), sum)
        assert.isTrue(sum === plain || Math.abs(sum - plain) <= 1e-11 * plain)
        arena.free(array)
      }),
      { numRuns: 60 }
    ))

  it("goes on where one block of results is full", () => {
    const few = { ...runner, partials: runner.partials.subarray(0, 2) }
    const vector = inside(new Float32Array(100_000).fill(2))
    assert.strictEqual(sumOfSquares(few, [vector]), 400_000)
  })

  it("shows numbers that are not finite", () => {
    assert.strictEqual(sumOfSquares(runner, [Float32Array.of(1, -Infinity, 2)]), Infinity)
    assert.isNaN(sumOfSquares(runner, [Float32Array.of(1, 2, 3, 4, Number.NaN)]))
  })

  it("has the same bits on two threads", async () => {
    const both = Runner.make({ arena, threads: 2 })
    const vector = inside(Float32Array.from({ length: 500_001 }, (_, i) => Math.sin(i)))
    const sum = sumOfSquares(runner, [vector])
    for (let run = 0; run < 5000 && (run < 5 || both.helped() === 0); run++) {
      assert.strictEqual(sumOfSquares(both, [vector]), sum)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    assert.isAbove(both.helped(), 0)
    await both.close()
  })
})
