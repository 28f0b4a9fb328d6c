import type { TensorSpec } from "../backend/index.ts"

/** How the elements of a tensor stand in a safetensors file: bytes each, and how they become float32 or int32. */
export interface Elements {
  readonly bytes: number
  readonly dtype: TensorSpec["dtype"]
  /** Absent where the file's bytes are the elements themselves; else puts the bits of float32 into `target` from number `at` on. */
  readonly widen?: (bytes: Uint8Array, target: Uint32Array, at: number) => void
}

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

const widenHalves: Elements["widen"] = (bytes, target, at) => {
  for (let i = 0; i < bytes.length; i += 2) target[at++] = halfBits((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8))
}

const widenUpper: Elements["widen"] = (bytes, target, at) => {
  for (let i = 0; i < bytes.length; i += 2) target[at++] = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 24)
}

/** The element types that are read, by safetensors' name; both halves become float32. */
export const readable: { readonly [dtype: string]: Elements } = {
  F32: { bytes: 4, dtype: "float32" },
  F16: { bytes: 2, dtype: "float32", widen: widenHalves },
  BF16: { bytes: 2, dtype: "float32", widen: widenUpper },
  I32: { bytes: 4, dtype: "int32" }
}

/** Puts elements from their little-endian bytes into four-byte elements of a tensor, as bits, from number `at` on. */
export const fill = ({ widen }: Elements, bytes: Uint8Array, target: Uint32Array, at: number): void => {
  if (widen === undefined) new Uint8Array(target.buffer, target.byteOffset + 4 * at, bytes.length).set(bytes)
  else widen(bytes, target, at)
}
