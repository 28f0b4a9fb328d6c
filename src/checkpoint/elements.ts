import type { HostArray } from "../backend/index.ts"

/** How the elements of a tensor stand in a safetensors file: bytes each, and the array they become. */
export interface Elements {
  readonly bytes: number
  /** Makes the array of a tensor's bytes, which begin at the start of a buffer of their own. */
  readonly read: (buffer: ArrayBuffer) => HostArray
}

const copyOf = (bits: Uint32Array<ArrayBuffer>): Float32Array => new Float32Array(bits.buffer)

/**
 * The float32 bits of a half-precision number's bits (IEEE 754 binary16), exact for every input.
 *
 * A subnormal half is a multiple of 2⁻²⁴ and a normal float32; the payload of a NaN moves with the mantissa.
 *
 * @example
 * ```ts
 * import { halfBits } from "homodistil/checkpoint"
 * assert.equal(new Float32Array(Uint32Array.of(halfBits(0xc100)).buffer)[0], -2.5)
 * ```
 */
export const halfBits = (half: number): number => {
  const sign = (half & 0x8000) << 16
  const exponent = (half >>> 10) & 0x1f
  const mantissa = half & 0x3ff
  if (exponent === 0x1f) return (sign | 0x7f800000 | (mantissa << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0
  if (mantissa === 0) return sign >>> 0
  const lead = 31 - Math.clz32(mantissa)
  return (sign | ((lead + 103) << 23) | ((mantissa << (23 - lead)) & 0x7fffff)) >>> 0
}

/** The element types that are read, by safetensors' name; both halves become float32. */
export const readable: { readonly [dtype: string]: Elements } = {
  F32: { bytes: 4, read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, read: (buffer) => copyOf(Uint32Array.from(new Uint16Array(buffer), halfBits)) },
  BF16: { bytes: 2, read: (buffer) => copyOf(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16)) },
  I32: { bytes: 4, read: (buffer) => new Int32Array(buffer) }
}
