import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as SafetensorsHeader from "../../src/checkpoint/SafetensorsHeader.ts"

const parse = (text: string, data: number, ignore?: (name: string) => boolean) =>
  SafetensorsHeader.parse(new TextEncoder().encode(text), data, ignore)
const reasons = <A>(result: Result.Result<A, ReadonlyArray<{ readonly reason: string }>>) =>
  Result.getOrThrow(Result.flip(result)).map(({ reason }) => reason)
const entry = (begin: number, end: number) => ({ dtype: "I32", shape: [(end - begin) / 4], data_offsets: [begin, end] })

describe("length", () => {
  const eight = (length: bigint) => new Uint8Array(BigUint64Array.of(length).buffer)

  it("is what the first bytes say, where the file has room and the limit allows", () => {
    assert.strictEqual(Result.getOrThrow(SafetensorsHeader.length(eight(40n), 48)), 40)
    assert.match(String(reasons(SafetensorsHeader.length(eight(41n), 48))), /has 41 bytes, but 40 follow/)
    assert.match(
      String(reasons(SafetensorsHeader.length(eight(40n), 48, 39))),
      /has 40 bytes, above the 39 that are read/
    )
    assert.match(String(reasons(SafetensorsHeader.length(eight(2n ** 63n), 2 ** 40))), /9223372036854775808/)
    assert.match(String(reasons(SafetensorsHeader.length(eight(10n ** 9n), 2 ** 40))), /above the 100000000/)
    assert.match(String(reasons(SafetensorsHeader.length(new Uint8Array(7), 7))), /has 7 bytes, not even the 8/)
  })
})

describe("parse", () => {
  it("refuses keys that are there twice, also inside an entry", () => {
    const whole = JSON.stringify({ a: entry(0, 4) })
    assert.strictEqual(Result.getOrThrow(parse(whole, 4)).regions.length, 1)
    assert.match(String(reasons(parse(whole.replace("{", '{"a":1,'), 4))), /holds the key "a" twice/)
    assert.match(String(reasons(parse(whole.replace('"dtype"', '"dtype":"F32","dtype"'), 4))), /the key "dtype" twice/)
  })

  it("takes a tensor called __proto__ as any other", () => {
    const { regions } = Result.getOrThrow(parse('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4))
    assert.deepStrictEqual(
      regions.map(({ name, shape }) => [name, shape]),
      [["__proto__", [1]]]
    )
  })

  it("takes tensors that lie one after another, in any order, and nothing else", () =>
    fc.assert(
      fc.property(
        fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }).filter((sizes) => sizes.some((size) => size > 0)),
        fc.nat(),
        fc.integer({ min: -4, max: 4 }).filter((by) => by !== 0),
        (sizes, which, by) => {
          let at = 0
          const places = sizes.map((size) => [at, (at += 4 * size)] as const)
          const header = (moved: ReadonlyArray<readonly [number, number]>) =>
            JSON.stringify(
              Object.fromEntries(
                moved.map(([begin, end], i) => [`t${i}`, { ...entry(begin, end), shape: [sizes[i]] }]).toReversed()
              )
            )
          assert.isTrue(Result.isSuccess(parse(header(places), at)))
          // a tensor with elements that is anywhere else leaves a gap or overlaps
          const filled = sizes.flatMap((size, i) => (size > 0 ? [i] : []))
          const chosen = filled[which % filled.length]
          const moved = places.map(([begin, end], i) =>
            i === chosen ? ([begin + by, end + by] as const) : ([begin, end] as const)
          )
          assert.isTrue(Result.isFailure(parse(header(moved), at)))
          assert.isTrue(Result.isFailure(parse(header(places), at + by)))
        }
      )
    ))

  it("tells of a hundred problems at most, and how many more there are", () => {
    const many = Object.fromEntries(Array.from({ length: 350 }, (_, i) => [`t${i}`, 1]))
    const told = reasons(parse(JSON.stringify(many), 0))
    assert.deepStrictEqual([told.length, told.at(-1)], [101, "has 250 more problems"])
  })
})
