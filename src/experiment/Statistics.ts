import * as cephes from "cephes"
import { mean, sampleStandardDeviation } from "simple-statistics"

// cephes is compiled from C to WebAssembly; in Node this is over at once
await cephes.compiled

/** A closed range of numbers, in the unit of the values it is about. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/** What a few numbers say of their mean; with fewer than two of them nothing is known of its spread, and that is `null`. */
export interface Summary {
  readonly count: number
  readonly mean: number
  /** Sample standard deviation (divisor `count - 1`). */
  readonly deviation: number | null
  /** Half the width of the interval. */
  readonly halfWidth: number | null
  readonly interval: Interval | null
}

/** A summary of differences of pairs, with two tests of "no difference". */
export interface Paired extends Summary {
  /** Two-sided p-value of the paired t-test; `null` below two pairs. Where the differences have no spread, that of the exact test of signs. */
  readonly pValue: number | null
  /** Two-sided exact p-value over all flips of the signs; `null` above 20 pairs. */
  readonly signFlip: number | null
  /** Cohen's d_z, `effectSize`. */
  readonly effectSize: number | null
}

/** One number of one seed. */
export interface Sample {
  readonly seed: number
  readonly value: number
}

/**
 * Student's t-interval of the mean: mean ± t(level, n - 1) · s / √n.
 *
 * `level` is the coverage, in (0, 1). The order of the values does not matter, to the last bit. Throws a `RangeError`
 * when there is no value: a mean of nothing is a bug of the caller.
 *
 * @example
 * ```ts
 * import { Statistics } from "homodistil/experiment"
 * const three = Statistics.summary([1, 2, 3])
 * assert.equal(three.mean, 2)
 * assert.equal(three.halfWidth?.toFixed(4), "2.4841") // 4.3027 · 1 / √3
 * assert.equal(Statistics.summary([1]).interval, null)
 * ```
 */
export const summary = (values: ReadonlyArray<number>, level = 0.95): Summary => {
  if (values.length === 0) throw new RangeError("a summary needs at least one value")
  const sorted = values.toSorted((a, b) => a - b)
  const count = sorted.length
  const center = mean(sorted)
  if (count < 2) return { count, mean: center, deviation: null, halfWidth: null, interval: null }
  const deviation = sampleStandardDeviation(sorted)
  const halfWidth = (cephes.stdtri(count - 1, (1 + level) / 2) * deviation) / Math.sqrt(count)
  return { count, mean: center, deviation, halfWidth, interval: { low: center - halfWidth, high: center + halfWidth } }
}

/**
 * The differences `samples - baseline` of the seeds that both have, summarised and tested against zero.
 *
 * Seeds that only one side has are left out; `null` when none is left. Equal differences have no spread: the t-test's
 * p-value is then 0, or 1 when all of them are zero.
 *
 * @example
 * ```ts
 * import { Statistics } from "homodistil/experiment"
 * const seeds = (values: ReadonlyArray<number>) => values.map((value, seed) => ({ seed, value }))
 * const paired = Statistics.paired(seeds([1.470, 1.466, 1.480]), seeds([1.572, 1.561, 1.583]))
 * assert.equal(paired?.mean.toFixed(3), "-0.100")
 * assert.equal(paired?.signFlip, 0.25) // three pairs can never give less
 * ```
 */
export const paired = (
  samples: ReadonlyArray<Sample>,
  baseline: ReadonlyArray<Sample>,
  level = 0.95
): Paired | null => {
  const reference = new Map(baseline.map(({ seed, value }) => [seed, value]))
  const differences = samples.flatMap(({ seed, value }) => {
    const other = reference.get(seed)
    return other === undefined ? [] : [value - other]
  })
  if (differences.length === 0) return null
  return {
    ...summary(differences, level),
    pValue: pairedT(differences),
    signFlip: signFlip(differences),
    effectSize: effectSize(differences)
  }
}

/**
 * Cohen's d_z of paired differences: their mean in units of their own standard deviation (Cohen 1988; Lakens 2013, eq. 7).
 *
 * `null` below two pairs, and where the differences have no spread beyond rounding, even when all are zero: there is then no unit to
 * measure them in.
 *
 * @example
 * ```ts
 * import { Statistics } from "homodistil/experiment"
 * assert.equal(Statistics.effectSize([1, 2, 3]), 2)
 * assert.equal(Statistics.effectSize([-1, -1]), null)
 * ```
 */
export const effectSize = (differences: ReadonlyArray<number>): number | null => {
  if (differences.length < 2) return null
  const { mean: center, deviation } = summary(differences)
  return deviation === null || !isSpread(center, deviation) ? null : center / deviation
}

/** Whether values differ beyond rounding. */
const isSpread = (center: number, deviation: number): boolean => deviation > 1e-12 * Math.abs(center)

const pairedT = (differences: ReadonlyArray<number>): number | null => {
  const { count, mean: center, deviation } = summary(differences)
  if (deviation === null) return null
  // counts of a few right answers repeat; without spread t would be infinite, and two seeds be certain
  if (!isSpread(center, deviation)) return center === 0 ? 1 : 2 ** (1 - count)
  const t = center / (deviation / Math.sqrt(count))
  return Math.min(1, 2 * cephes.stdtr(count - 1, -Math.abs(t)))
}

/** Above so many pairs (2²⁰ ways to flip their signs) the exact test is left out. */
export const maxSignFlips = 20

/**
 * Fisher's exact sign-flip test of paired differences, two-sided: the share of all 2ⁿ ways to flip the signs whose mean is at
 * least as far from zero as the one observed.
 *
 * It assumes only that a difference is as likely as its negative. Its smallest value is 2 / 2ⁿ, so below six pairs it
 * cannot reach .05. `null` above `maxSignFlips` pairs. Sums within rounding of each other count as equal.
 *
 * @example
 * ```ts
 * import { Statistics } from "homodistil/experiment"
 * assert.equal(Statistics.signFlip([1, 2, 3, 4, 5, 6]), 2 / 64)
 * assert.equal(Statistics.signFlip([0, 0]), 1)
 * ```
 */
export const signFlip = (differences: ReadonlyArray<number>): number | null => {
  const count = differences.length
  if (count > maxSignFlips) return null
  const sizes = differences.map(Math.abs).toSorted((a, b) => a - b)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const observed = Math.abs(differences.toSorted((a, b) => a - b).reduce((sum, d) => sum + d, 0)) - 1e-12 * total
  let extreme = 0
  for (let flips = 0; flips < 2 ** count; flips++) {
    let sum = 0
    for (let i = 0; i < count; i++) sum += ((flips >>> i) & 1) === 0 ? (sizes[i] ?? 0) : -(sizes[i] ?? 0)
    if (Math.abs(sum) >= observed) extreme++
  }
  return extreme / 2 ** count
}

/**
 * Holm's step-down correction: p-values adjusted so that rejecting those below α keeps the chance of any false rejection
 * below α (Holm 1979). Returned in the order given.
 *
 * @example
 * ```ts
 * import { Statistics } from "homodistil/experiment"
 * assert.deepEqual(Statistics.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
 * ```
 */
export const holm = (pValues: ReadonlyArray<number>): ReadonlyArray<number> => {
  const adjusted = pValues.slice()
  const order = pValues.map((p, index) => ({ p, index })).toSorted((a, b) => a.p - b.p)
  let floor = 0
  order.forEach(({ p, index }, rank) => {
    floor = Math.max(floor, Math.min(1, p * (order.length - rank)))
    adjusted[index] = floor
  })
  return adjusted
}
