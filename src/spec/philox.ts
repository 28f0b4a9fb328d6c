/** The high and low halves of a 32 × 32-bit product. */
const multiply = (a: number, b: number): readonly [high: number, low: number] => {
  const ah = a >>> 16
  const al = a & 0xffff
  const bh = b >>> 16
  const bl = b & 0xffff
  const mid = al * bh + (((al * bl) / 0x10000) >>> 0)
  const mid2 = ah * bl + (mid % 0x10000)
  return [(ah * bh + Math.floor(mid / 0x10000) + Math.floor(mid2 / 0x10000)) >>> 0, Math.imul(a, b) >>> 0]
}

/**
 * One block of Philox4x32-10 (Salmon et al. 2011): four random words from a counter of four words and a key of two.
 *
 * @example
 * ```ts
 * import { philox4x32 } from "homodistil/spec"
 * // the known answers that come with Random123
 * assert.deepEqual(philox4x32([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
 * ```
 */
export const philox4x32 = (
  counter: readonly [number, number, number, number],
  key: readonly [number, number]
): readonly [number, number, number, number] => {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = multiply(0xd2511f53, c0)
    const [h1, l1] = multiply(0xcd9e8d57, c2)
    c0 = (h1 ^ c1 ^ k0) >>> 0
    c1 = l1
    c2 = (h0 ^ c3 ^ k1) >>> 0
    c3 = l0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** The first `count` words of the stream that belongs to a key. */
export const words = (key0: number, key1: number, count: number): Uint32Array => {
  const out = new Uint32Array(count)
  for (let block = 0; block * 4 < count; block++) {
    const four = philox4x32([block, 0, 0, 0], [key0, key1])
    for (let i = 0; i < 4 && block * 4 + i < count; i++) out[block * 4 + i] = four[i] ?? 0
  }
  return out
}
