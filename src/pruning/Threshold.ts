import type { HostTensor } from "../backend/index.ts"

/** The bits of absolute scores, which as integers are in the order of the numbers. */
const bitsOf = (scores: HostTensor): Uint32Array =>
  new Uint32Array(scores.data.buffer, scores.data.byteOffset, scores.data.length)

const withoutSign = 0x7fffffff

/** Where a running count of a histogram first exceeds `rank`, and how many come before that place. */
const placeOf = (histogram: Float64Array, rank: number): readonly [place: number, before: number] => {
  let before = 0
  let place = 0
  while (before + (histogram[place] ?? Number.POSITIVE_INFINITY) <= rank) before += histogram[place++] ?? 0
  return [place, before]
}

/** The `rank`th smallest absolute score, counted from 0: found from its upper and then its lower half of bits, without sorting. */
const ranked = (scores: ReadonlyArray<HostTensor>, rank: number): number => {
  const [upper, lower] = [new Float64Array(2 ** 15), new Float64Array(2 ** 16)]
  for (const each of scores)
    for (const bits of bitsOf(each)) upper[(bits & withoutSign) >>> 16] = (upper[(bits & withoutSign) >>> 16] ?? 0) + 1
  const [high, before] = placeOf(upper, rank)
  for (const each of scores)
    for (const bits of bitsOf(each))
      if ((bits & withoutSign) >>> 16 === high) lower[bits & 0xffff] = (lower[bits & 0xffff] ?? 0) + 1
  const [low] = placeOf(lower, rank - before)
  return new Float32Array(Uint32Array.of(high * 2 ** 16 + low).buffer)[0] ?? 0
}

/**
 * The score that single weights must not be below to remain, all parameters ranked together: below it lie ⌊n (1 - ratio)⌋ of the n
 * scores, or fewer where scores are equal (PLATON; paper, §3).
 *
 * Scores are float32 and count by their absolute values; the ratio is in (0, 1].
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { Threshold } from "homodistil/pruning"
 * const scores = [Tensor.host([4, 1]), Tensor.host([3, 2, 5])]
 * assert.equal(Threshold.of(scores, 0.6), 3)
 * assert.equal(Threshold.of(scores, 1), 0)
 * ```
 */
export const of = (scores: ReadonlyArray<HostTensor>, ratio: number): number => {
  const going = Math.floor(scores.reduce((n, { data }) => n + data.length, 0) * (1 - ratio))
  return going === 0 ? 0 : ranked(scores, going)
}

/**
 * A tensor with the weights whose absolute scores are below the threshold set to zero: strictly, so that with a threshold of 0 all stay.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { Threshold } from "homodistil/pruning"
 * assert.deepEqual([...Threshold.apply(Tensor.host([7, -8, 9]), Tensor.host([1, 2, 3]), 2).data], [0, -8, 9])
 * ```
 */
export const apply = (weights: HostTensor, scores: HostTensor, threshold: number): HostTensor => ({
  ...weights,
  data: Float32Array.from(weights.data, (w, i) => (Math.abs(scores.data[i] ?? Number.NaN) < threshold ? 0 : w))
})
