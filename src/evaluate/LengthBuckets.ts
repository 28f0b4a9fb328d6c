import { Seed } from "../spec/index.ts"

/** A batch to be: how long its rows are, and the numbers of the texts in it; the last one of a pass may have fewer. */
export interface LengthBatch {
  readonly length: number
  readonly chosen: ReadonlyArray<number>
}

/** How texts are put together: so many rows a batch, of lengths that are multiples of `step` up to `longest`. */
export interface BucketOptions {
  readonly rows: number
  readonly step: number
  readonly longest: number
}

/** The length of the rows that a text of so many pieces stands in. */
export const rowLength = (pieces: number, { step, longest }: Omit<BucketOptions, "rows">): number =>
  Math.min(longest, Math.ceil(Math.max(1, pieces) / step) * step)

/** Texts in a given order, grouped by the length of their rows; what does not fill a batch goes on with the next longer ones. */
const grouped = (
  order: ArrayLike<number>,
  lengthOf: (text: number) => number,
  options: BucketOptions
): ReadonlyArray<LengthBatch> => {
  const { rows } = options
  const buckets = new Map<number, Array<number>>()
  for (let i = 0; i < order.length; i++) {
    const text = order[i] ?? 0
    const length = rowLength(lengthOf(text), options)
    const bucket = buckets.get(length) ?? []
    bucket.push(text)
    buckets.set(length, bucket)
  }
  const batches: Array<LengthBatch> = []
  let rest: ReadonlyArray<number> = []
  let longest = 0
  for (const [length, bucket] of [...buckets].toSorted(([a], [b]) => a - b)) {
    const texts = [...rest, ...bucket]
    const full = Math.floor(texts.length / rows) * rows
    for (let at = 0; at < full; at += rows) batches.push({ length, chosen: texts.slice(at, at + rows) })
    rest = texts.slice(full)
    longest = length
  }
  return rest.length === 0 ? batches : [...batches, { length: longest, chosen: rest }]
}

/**
 * All texts in batches of alike lengths, in a fixed order: for evaluation.
 *
 * @example
 * ```ts
 * import { LengthBuckets } from "homodistil/evaluate"
 * const batches = LengthBuckets.all([3, 9, 4], { rows: 2, step: 8, longest: 32 })
 * assert.deepEqual(batches, [{ length: 8, chosen: [0, 2] }, { length: 16, chosen: [1] }])
 * ```
 */
export const all = (lengths: ArrayLike<number>, options: BucketOptions): ReadonlyArray<LengthBatch> =>
  grouped(
    Array.from(lengths, (_, i) => i),
    (text) => lengths[text] ?? 0,
    options
  )

/**
 * A pass over all texts, each once, in batches of alike lengths; the seed alone decides which texts meet, and the order of the batches.
 *
 * @example
 * ```ts
 * import { LengthBuckets } from "homodistil/evaluate"
 * import { Seed } from "homodistil/spec"
 * const options = { rows: 2, step: 8, longest: 32 }
 * const batches = LengthBuckets.pass([3, 9, 4, 9], options, Seed.make(0))
 * assert.deepEqual(batches.flatMap(({ chosen }) => chosen).toSorted(), [0, 1, 2, 3])
 * assert.deepEqual(LengthBuckets.pass([3, 9, 4, 9], options, Seed.make(0)), batches)
 * ```
 */
export const pass = (
  lengths: ArrayLike<number>,
  options: BucketOptions,
  seed: Seed.Seed
): ReadonlyArray<LengthBatch> => {
  const batches = grouped(
    Seed.permutation(Seed.child(seed, "texts"), lengths.length),
    (text) => lengths[text] ?? 0,
    options
  )
  return [...Seed.permutation(Seed.child(seed, "batches"), batches.length)].flatMap((n) => batches[n] ?? [])
}
