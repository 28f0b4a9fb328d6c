/** The high half of a 32 × 32-bit product, by halves of 16 bits: every step fits 32 bits, so it stays with integers. */
const high = (a: number, b: number): number => {
  const ah = a >>> 16
  const al = a & 0xffff
  const bh = b >>> 16
  const bl = b & 0xffff
  const first = (Math.imul(ah, bl) >>> 0) + (Math.imul(al, bl) >>> 16)
  const second = (Math.imul(al, bh) >>> 0) + (first & 0xffff)
  return ((Math.imul(ah, bh) >>> 0) + (first >>> 16) + (second >>> 16)) >>> 0
}

/** Writes one block to `out` from `at` on, as far as it reaches. */
const write = (
  out: Uint32Array,
  at: number,
  counter: readonly [number, number, number, number],
  key0: number,
  key1: number
): void => {
  let c0 = counter[0]
  let c1 = counter[1]
  let c2 = counter[2]
  let c3 = counter[3]
  let k0 = key0
  let k1 = key1
  for (let round = 0; round < 10; round++) {
    const h0 = high(0xd2511f53, c0)
    const h1 = high(0xcd9e8d57, c2)
    const l0 = Math.imul(0xd2511f53, c0)
    c0 = h1 ^ c1 ^ k0
    c1 = Math.imul(0xcd9e8d57, c2)
    c2 = h0 ^ c3 ^ k1
    c3 = l0
    k0 = (k0 + 0x9e3779b9) | 0
    k1 = (k1 + 0xbb67ae85) | 0
  }
  // a typed array drops what is written behind its end
  out[at] = c0
  out[at + 1] = c1
  out[at + 2] = c2
  out[at + 3] = c3
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
  const out = new Uint32Array(4)
  write(out, 0, counter, ...key)
  const [a = 0, b = 0, c = 0, d = 0] = out
  return [a, b, c, d]
}

/** The first `count` words of the stream that belongs to a key. */
export const words = (key0: number, key1: number, count: number): Uint32Array => {
  const out = new Uint32Array(count)
  for (let block = 0; block * 4 < count; block++) write(out, block * 4, [block, 0, 0, 0], key0, key1)
  return out
}
