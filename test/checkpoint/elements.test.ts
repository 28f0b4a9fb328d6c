import { assert, describe, it } from "@effect/vitest"
import { fill, halfBits, readable } from "../../src/checkpoint/elements.ts"

const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? 0

/** The value of a half by its definition (IEEE 754-2019, §3.4). */
const valueOf = (half: number): number => {
  const sign = half >= 0x8000 ? -1 : 1
  const exponent = Math.floor((half % 0x8000) / 0x400)
  const fraction = (half % 0x400) / 0x400
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -14 : sign * (1 + fraction) * 2 ** (exponent - 15)
}

describe("halfBits", () => {
  it("is exact for every half", () => {
    for (let half = 0; half < 0x10000; half++) {
      const [got, expected] = [floatOf(halfBits(half)), valueOf(half)]
      if (!Object.is(got, expected)) assert.strictEqual(got, expected, `half 0x${half.toString(16)}`)
    }
  })

  it("keeps the payload of a NaN", () => {
    assert.strictEqual(halfBits(0xfe01), 0xffc02000)
  })
})

describe("readable", () => {
  /** The elements of bytes after one that is left as it is. */
  const numbers = (dtype: string, bytes: ArrayBufferLike) => {
    const elements = readable[dtype] ?? assert.fail(dtype)
    const target = Float32Array.of(7, 0, 0)
    fill(elements, new Uint8Array(bytes), new Uint32Array(target.buffer), 1)
    return target
  }

  it("takes as many bytes as it says", () => {
    for (const [dtype, { bytes }] of Object.entries(readable))
      assert.deepStrictEqual(numbers(dtype, new ArrayBuffer(2 * bytes)), Float32Array.of(7, 0, 0))
  })

  it("reads a bfloat16 as the upper half of a float32, and a float32 as it is", () => {
    const expected = Float32Array.of(7, -1, 3.140625)
    assert.deepStrictEqual(numbers("BF16", Uint16Array.of(0xbf80, 0x4049).buffer), expected)
    assert.deepStrictEqual(numbers("F32", Float32Array.of(-1, 3.140625).buffer), expected)
    assert.deepStrictEqual(numbers("F16", Uint16Array.of(0xbc00, 0x4248).buffer), expected)
  })
})
