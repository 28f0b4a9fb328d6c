/** The middle of repeated measurements, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The value below which a share of sorted values lies, between two of them where it falls there. */
const quantile = (sorted: ReadonlyArray<number>, share: number): number => {
  const at = share * (sorted.length - 1)
  const [below, above] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return below + (at - Math.floor(at)) * (above - below)
}

/** The median of some numbers; NaN of none. */
export const median = (values: ReadonlyArray<number>): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5
  )

/** Median, least and most of some numbers. */
export const of = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), least: quantile(sorted, 0), most: quantile(sorted, 1) }
}

/** The mean of some numbers; NaN of none. */
export const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * How many times faster the one is than the other, round by round: both take the same work in each round, so that what slows the
 * machine for a while slows both.
 */
export const faster = (ours: ReadonlyArray<number>, peer: ReadonlyArray<number>): Spread =>
  of(ours.map((ms, round) => (peer[round] ?? Number.NaN) / ms))
