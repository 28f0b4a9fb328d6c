import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { canonical, Digest, type Json } from "homodistil/spec"

const values: fc.Arbitrary<Json> = fc.jsonValue() as fc.Arbitrary<Json>

/** The same value with the keys of every object the other way round. */
const reversed = (value: Json): Json => {
  if (value === null || typeof value !== "object") return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, field]) => [key, reversed(field)])
  )
}

describe("canonical JSON", () => {
  it("is JSON of the same value, and does not change when read and written again", () =>
    fc.assert(
      fc.property(values, (value) => {
        const text = canonical(value)
        const read = JSON.parse(text) as Json
        assert.deepStrictEqual(read, JSON.parse(JSON.stringify(value)))
        assert.strictEqual(canonical(read), text)
      })
    ))

  it("does not depend on the order of keys, and tells unequal values apart", () =>
    fc.assert(
      fc.property(values, values, (a, b) => {
        assert.strictEqual(canonical(reversed(a)), canonical(a))
        assert.strictEqual(Digest.of(reversed(a)), Digest.of(a))
        const same = JSON.stringify(JSON.parse(canonical(a))) === JSON.stringify(JSON.parse(canonical(b)))
        assert.strictEqual(Digest.of(a) === Digest.of(b), same)
      })
    ))

  it.each([Number.NaN, Infinity, -Infinity])("refuses %s, however deep", (number) => {
    assert.throws(() => canonical(number), RangeError, String(number))
    assert.throws(() => canonical({ a: [{ b: number }] }), RangeError)
  })

  it("leaves out what is undefined", () => {
    assert.strictEqual(canonical({ a: 1, ...Object.fromEntries([["b", undefined]]) }), '{"a":1}')
  })
})
