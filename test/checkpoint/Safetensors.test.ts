import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { type HostTensor, Tensor } from "../../src/backend/index.ts"
import * as Safetensors from "../../src/checkpoint/Safetensors.ts"
import { bitsOf } from "./samples.ts"

const fixture = (name: string): Uint8Array => readFileSync(new URL(`fixtures/${name}.safetensors`, import.meta.url))

const values = (bytes: Uint8Array) => Result.getOrThrow(Safetensors.decode(bytes)).values

const failure = (bytes: Uint8Array) =>
  Result.getOrThrow(Result.flip(Safetensors.decode(bytes, { file: "model.safetensors" })))

/** Any bits at all, in shapes with and without elements. */
const tensor: fc.Arbitrary<HostTensor> = fc
  .tuple(fc.array(fc.nat(3), { maxLength: 3 }), fc.boolean())
  .chain(([shape, whole]) => {
    const length = Tensor.elements(shape)
    return fc.uint32Array({ minLength: length, maxLength: length }).map((words): HostTensor => {
      const bits = Uint32Array.from(words).buffer
      return whole
        ? { shape, dtype: "int32", data: new Int32Array(bits) }
        : { shape, dtype: "float32", data: new Float32Array(bits) }
    })
  })
const tensors = fc
  .array(
    fc.tuple(
      fc.string({ unit: "binary" }).filter((name) => name !== "__metadata__"),
      tensor
    ),
    { maxLength: 5 }
  )
  .map((entries) => Object.fromEntries(entries))

const sorted = (record: { readonly [name: string]: HostTensor }) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

describe("encode, then decode", () => {
  it("gives every bit back, whatever the names, shapes and values", () => {
    fc.assert(
      fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (some, metadata) => {
        const decoded = Result.getOrThrow(Safetensors.decode(Safetensors.encode(some, metadata)))
        assert.deepStrictEqual(bitsOf(decoded.values), bitsOf(sorted(some)))
        assert.sameDeepMembers(Object.entries(decoded.metadata), Object.entries(metadata))
      })
    )
  })

  it("gives the same bytes whatever the order, with the data aligned", () => {
    fc.assert(
      fc.property(tensors, (some) => {
        const bytes = Safetensors.encode(some)
        assert.deepStrictEqual(Safetensors.encode(Object.fromEntries(Object.entries(some).toReversed())), bytes)
        assert.strictEqual(new DataView(bytes.buffer).getUint32(0, true) % 8, 0)
      })
    )
  })

  it("reads from the middle of a buffer and writes part of one", () => {
    const part = { shape: [2], dtype: "float32", data: Float32Array.of(1, 2, 3).subarray(1) } as const
    const bytes = Safetensors.encode({ part })
    const inside = new Uint8Array(bytes.length + 3)
    inside.set(bytes, 3)
    assert.deepStrictEqual(values(inside.subarray(3))["part"]?.data, Float32Array.of(2, 3))
  })

  it("refuses values that are not what they say", () => {
    assert.throws(
      () => Safetensors.encode({ a: { ...Tensor.host([1, 2]), shape: [3] } }),
      /a does not hold the 3 numbers/
    )
    assert.throws(() => Safetensors.encode({ a: { ...Tensor.host([1]), dtype: "int32" } }), /as int32/)
    assert.throws(() => Safetensors.encode({ __metadata__: Tensor.host([1]) }), /__metadata__/)
  })
})

describe("files of the Python library", () => {
  it("are read bit by bit, and written as the same bytes", () => {
    const bytes = fixture("float32")
    const decoded = Result.getOrThrow(Safetensors.decode(bytes))
    assert.deepStrictEqual(decoded.metadata, { format: "pt" })
    assert.deepStrictEqual(
      bitsOf(decoded.values).map(({ name, shape, bits }) => [name, shape, bits]),
      [
        ["a.bias", [2], [0x7fc00001, 0xffc00002]],
        ["b.weight", [2, 3], [0x3fc00000, 0xc0000000, 0x40500000, 0, 0x80000000, 1]],
        ["none", [0, 3], []],
        ["scalar", [], [0x40e00000]]
      ]
    )
    assert.deepStrictEqual(Safetensors.encode(decoded.values, decoded.metadata), Uint8Array.from(bytes))
  })

  it("may hold halves and integers", () => {
    const read = values(fixture("mixed"))
    const half = [1, -2.5, 65504, 2 ** -24, 1023 * 2 ** -24, -Infinity, 1364 / 4096]
    assert.deepStrictEqual(read["f16"]?.data, Float32Array.from(half))
    // as torch prints them
    const upper = [1, -2.5, 3.00405527047391e38, 9.183549615799121e-41, Infinity, 0.33203125]
    assert.deepStrictEqual(read["bf16"]?.data, Float32Array.from(upper))
    assert.deepStrictEqual(read["i32"], Tensor.host([-1, 2 ** 31 - 1], [1, 2], "int32"))
    assert.deepStrictEqual(read["f32"]?.data, Float32Array.of(Infinity, -1))
  })

  it("in other element types are refused by name, or left out on request", () => {
    assert.match(
      failure(fixture("float64")).message,
      /^model\.safetensors: f64 has dtype "F64", not one of F32, F16, BF16, I32;/
    )
    const decoded = Result.getOrThrow(Safetensors.decode(fixture("float64"), { ignore: (name) => name === "f64" }))
    assert.deepStrictEqual([decoded.values, decoded.ignored], [{}, ["f64"]])
  })
})

/** A file of this header and this many bytes of data. */
const fileOf = (header: unknown, data: number): Uint8Array => {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data)
  bytes.set(Uint8Array.of(json.length & 255, json.length >> 8))
  bytes.set(json, 8)
  return bytes
}
const entry = (shape: unknown, data_offsets: unknown, dtype: unknown = "F32") => ({ dtype, shape, data_offsets })

describe("decode", () => {
  const cases: ReadonlyArray<readonly [string, Uint8Array, RegExp]> = [
    ["no file at all", new Uint8Array(3), /has 3 bytes, not even the 8/],
    ["a header that is cut", fileOf({}, 0).subarray(0, 9), /says its header has 2 bytes, but 1 follow/],
    ["a header of absurd length", new Uint8Array(16).fill(255), /has 18446744073709551615 bytes, but 8 follow/],
    ["a header that is not JSON", fileOf("{", 0), /not JSON/],
    ["a header that is not UTF-8", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255), /not UTF-8/],
    ["a header that is a list", fileOf([], 0), /not a JSON object/],
    [
      "metadata that are not texts",
      fileOf({ __metadata__: { a: 1 } }, 0),
      /__metadata__ that does not hold texts only/
    ],
    ["metadata that are no object", fileOf({ __metadata__: 1 }, 0), /__metadata__ that does not hold texts only/],
    ["an entry that is none", fileOf({ a: 1 }, 0), /a has no dtype, shape and data_offsets/],
    ["a negative size", fileOf({ a: entry([-1], [0, 4]) }, 4), /a has no dtype, shape/],
    ["three offsets", fileOf({ a: entry([1], [0, 4, 8]) }, 4), /a has no dtype, shape/],
    ["offsets turned round", fileOf({ a: entry([1], [4, 0]) }, 4), /a ends at byte 0, before it begins at byte 4/],
    ["a shape of another size", fileOf({ a: entry([2], [0, 4]) }, 4), /a has 4 bytes, but shape \[2\] of F32 takes 8/],
    ["a shape beyond numbers", fileOf({ a: entry([2 ** 52, 2 ** 52], [0, 4]) }, 4), /a has 4 bytes, but shape/],
    ["data that are cut", fileOf({ a: entry([1], [0, 4]) }, 3), /a ends at byte 4 of data that ends at byte 3/],
    ["a gap", fileOf({ a: entry([1], [4, 8]) }, 8), /a begins at byte 4, leaving a gap after byte 0/],
    ["an overlap", fileOf({ a: entry([2], [0, 8]), b: entry([1], [4, 8]) }, 8), /b begins at byte 4, inside/],
    ["a rest", fileOf({ a: entry([1], [0, 4]) }, 6), /has 2 bytes after its last tensor/]
  ]
  for (const [what, bytes, message] of cases)
    it(`refuses ${what}`, () => {
      const error = failure(bytes)
      assert.strictEqual(error._tag, "CheckpointError")
      assert.match(error.message, message)
    })

  it("names every tensor that is wrong", () => {
    const { problems } = failure(
      fileOf({ a: entry([2], [0, 4]), b: entry([1], [4, 8], "I64"), c: entry([1], [8, 12]) }, 12)
    )
    assert.deepStrictEqual(
      problems.map(({ tensor: name }) => name),
      ["a", "b"]
    )
  })

  it("answers with tensors or its error, whatever is changed or cut", () => {
    const whole = Uint8Array.from(fixture("float32"))
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (changes, length) => {
        const damaged = Uint8Array.from(whole)
        for (const [at, byte] of changes) damaged[at] = byte
        for (const bytes of [damaged, damaged.subarray(0, length)]) {
          const decoded = Safetensors.decode(bytes)
          if (Result.isFailure(decoded)) assert.strictEqual(decoded.failure._tag, "CheckpointError")
          else assert.deepStrictEqual(values(Safetensors.encode(decoded.success.values)), decoded.success.values)
        }
        if (length < whole.length) assert.isTrue(Result.isFailure(Safetensors.decode(whole.subarray(0, length))))
      }),
      { numRuns: 400 }
    )
  })
})
