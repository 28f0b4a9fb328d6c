import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { LengthBuckets } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"

const inputs = fc.record({
  lengths: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 80 }),
  rows: fc.integer({ min: 1, max: 9 }),
  step: fc.integer({ min: 1, max: 20 }),
  seed: fc.nat(99)
})
const longest = 40
const sorted = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)

describe("LengthBuckets", () => {
  it("shows every text once, in rows it fits in; all batches but one are full", () => {
    fc.assert(
      fc.property(inputs, ({ lengths, rows, step, seed }) => {
        const options = { rows, step, longest }
        for (const batches of [
          LengthBuckets.all(lengths, options),
          LengthBuckets.pass(lengths, options, Seed.make(seed))
        ]) {
          assert.deepStrictEqual(
            sorted(batches.flatMap(({ chosen }) => chosen)),
            lengths.map((_, i) => i)
          )
          for (const { length, chosen } of batches) {
            assert.isTrue(chosen.every((n) => (lengths[n] ?? 0) <= length))
            assert.isTrue(length === longest || length % step === 0)
            assert.isAtMost(length, LengthBuckets.rowLength(Math.max(...lengths), options))
          }
          assert.lengthOf(batches, Math.ceil(lengths.length / rows))
          assert.isAtMost(batches.filter(({ chosen }) => chosen.length < rows).length, 1)
        }
      })
    )
  })

  it("is a function of the seed, which changes who meets whom and when", () => {
    const lengths = Array.from({ length: 40 }, (_, i) => 1 + (i % 30))
    const options = { rows: 4, step: 8, longest }
    const of = (seed: number) => LengthBuckets.pass(lengths, options, Seed.make(seed))
    assert.deepStrictEqual(of(1), of(1))
    assert.notDeepEqual(of(1), of(2))
    assert.notDeepEqual(
      of(1).map(({ length }) => length),
      of(1)
        .map(({ length }) => length)
        .toSorted((a, b) => a - b)
    )
  })

  it("pads less than rows of the longest length, never more", () => {
    fc.assert(
      fc.property(inputs, ({ lengths, rows, step, seed }) => {
        const options = { rows, step, longest }
        const plain = Math.ceil(lengths.length / rows) * longest
        const bucketed = LengthBuckets.pass(lengths, options, Seed.make(seed)).reduce(
          (sum, { length }) => sum + length,
          0
        )
        assert.isAtMost(bucketed, plain)
      })
    )
    const short = Array.from({ length: 32 }, (_, i) => (i < 16 ? 5 : 30))
    const batches = LengthBuckets.all(short, { rows: 8, step: 8, longest })
    assert.deepStrictEqual(
      batches.map(({ length }) => length),
      [8, 8, 32, 32]
    )
  })
})
