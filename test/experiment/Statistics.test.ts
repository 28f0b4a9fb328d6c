import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as Statistics from "../../src/experiment/Statistics.ts"

const bySeed = (values: ReadonlyArray<number>): ReadonlyArray<Statistics.Sample> =>
  values.map((value, seed) => ({ seed, value }))

/** Numbers of the size that measures have, far from the limits of floating point. */
const measure = fc.double({ min: -100, max: 100, noNaN: true }).map((x) => Math.round(x * 1e6) / 1e6)
const several = fc.array(measure, { minLength: 2, maxLength: 9 })
const shuffled = <A>(items: ReadonlyArray<A>) =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length })

// Expected numbers: SciPy 1.17.1, stats.t.interval(0.95, n - 1, mean, stats.sem(x)), stats.ttest_rel(a, b) with its
// confidence_interval(), and stats.permutation_test((a - b,), mean, permutation_type="samples", n_resamples=inf).
describe("against SciPy", () => {
  const sensitivity = [1.4701, 1.4655, 1.4804]
  const magnitude = [1.5722, 1.5611, 1.5833]

  it("t-interval of three values", () => {
    const { mean, deviation, interval } = Statistics.summary(sensitivity)
    expect(mean).toBeCloseTo(1.472, 12)
    expect(deviation).toBeCloseTo(0.00762954782408495, 14)
    expect(interval?.low).toBeCloseTo(1.453047152526588, 12)
    expect(interval?.high).toBeCloseTo(1.4909528474734124, 12)
  })

  it("paired difference of three seeds", () => {
    const paired = Statistics.paired(bySeed(sensitivity), bySeed(magnitude))
    expect(paired?.mean).toBeCloseTo(-0.1002, 12)
    expect(paired?.pValue).toBeCloseTo(0.0005317779123612767, 12)
    expect(paired?.interval?.low).toBeCloseTo(-0.11014586200086117, 12)
    expect(paired?.interval?.high).toBeCloseTo(-0.09025413799913883, 12)
    expect(paired?.signFlip).toBe(0.25)
  })

  it("paired difference of five seeds with ties among the sums", () => {
    const paired = Statistics.paired(bySeed([0.81, 0.79, 0.85, 0.77, 0.8]), bySeed([0.8, 0.78, 0.81, 0.79, 0.76]))
    expect(paired?.mean).toBeCloseTo(0.016, 12)
    expect(paired?.pValue).toBeCloseTo(0.22717687883017698, 12)
    expect(paired?.interval?.low).toBeCloseTo(-0.015165519010507028, 12)
    expect(paired?.interval?.high).toBeCloseTo(0.047165519010507015, 12)
    expect(paired?.signFlip).toBe(0.3125)
  })

  // stats.t.ppf(0.975, n - 1); a sample of n values with standard error 1 shows the quantile itself
  it.each([
    [2, 12.706204736174694],
    [3, 4.302652729749462],
    [5, 2.7764451051977934],
    [10, 2.262157162798205]
  ])("t quantile for %i values", (count, quantile) => {
    const values = Array.from({ length: count }, (_, i) => i)
    const { deviation, halfWidth } = Statistics.summary(values)
    expect(((halfWidth ?? 0) * Math.sqrt(count)) / (deviation ?? 0)).toBeCloseTo(quantile, 10)
  })

  // statsmodels 0.15.0, multipletests(p, method="holm")
  it("Holm's correction", () => {
    const adjusted = Statistics.holm([0.2, 0.02, 0.6, 0.02, 0.9])
    expect(adjusted.map((p) => p.toFixed(12))).toEqual([0.6, 0.1, 1, 0.1, 1].map((p) => p.toFixed(12)))
  })
})

describe("effect size", () => {
  // NumPy 2: d.mean() / d.std(ddof=1)
  it.each([
    [[1.4701, 1.4655, 1.4804], [1.5722, 1.5611, 1.5833], -25.026548598385013],
    [[0.81, 0.79, 0.85, 0.77, 0.8], [0.8, 0.78, 0.81, 0.79, 0.76], 0.6374552583116765]
  ])("is the mean of the differences in units of their deviation", (a, b, expected) => {
    expect(Statistics.paired(bySeed(a), bySeed(b))?.effectSize).toBeCloseTo(expected, 8)
  })
  it("is t over the root of the number of pairs, and does not depend on the unit", () =>
    fc.assert(
      fc.property(several, fc.double({ min: 0.01, max: 100, noNaN: true }), (differences, unit) => {
        const d = Statistics.effectSize(differences)
        const { mean, deviation, count } = Statistics.summary(differences)
        if (d === null || deviation === null) return
        const t = mean / (deviation / Math.sqrt(count))
        expect(d).toBeCloseTo(t / Math.sqrt(count), 6)
        expect(Statistics.effectSize(differences.map((each) => each * unit))).toBeCloseTo(d, 6)
        expect(Statistics.effectSize(differences.map((each) => -each))).toBeCloseTo(-d, 8)
      })
    ))
  it("does not exist for one pair, and not without spread, rounding left aside", () => {
    expect(Statistics.effectSize([])).toBeNull()
    expect(Statistics.effectSize([2])).toBeNull()
    expect(Statistics.effectSize([2, 2, 2])).toBeNull()
    expect(Statistics.effectSize([0, 0])).toBeNull()
    expect(Statistics.effectSize([0.3 - 0.2, 0.1])).toBeNull()
    expect(Statistics.effectSize([-1, 1])).toBe(0)
  })
})

describe("too few values", () => {
  it("one value has a mean and no spread", () => {
    expect(Statistics.summary([3])).toEqual({ count: 1, mean: 3, deviation: null, halfWidth: null, interval: null })
    expect(Statistics.paired(bySeed([3]), bySeed([1]))).toMatchObject({
      mean: 2,
      pValue: null,
      interval: null,
      signFlip: 1
    })
  })
  it("none is refused, and seeds without a partner are no pair", () => {
    expect(() => Statistics.summary([])).toThrow(RangeError)
    expect(Statistics.paired([{ seed: 1, value: 2 }], [{ seed: 2, value: 2 }])).toBeNull()
    expect(Statistics.paired(bySeed([1, 2, 9]), bySeed([0, 0]))?.count).toBe(2)
  })
  it("differences without spread", () => {
    expect(Statistics.paired(bySeed([2, 3, 4]), bySeed([1, 2, 3]))?.pValue).toBe(2 / 8)
    for (let count = 2; count <= 30; count++) {
      const [same, zero] = [1, 0].map((value) => bySeed(Array.from({ length: count }, () => value)))
      const found = Statistics.paired(same ?? [], zero ?? [])
      expect(found?.pValue).toBe(2 / 2 ** count)
      if (count <= Statistics.maxSignFlips) expect(found?.signFlip).toBe(found?.pValue)
    }
    expect(Statistics.paired(bySeed([2, 3]), bySeed([2, 3]))).toMatchObject({ pValue: 1, signFlip: 1 })
    expect(Statistics.signFlip(Array.from({ length: Statistics.maxSignFlips + 1 }, () => 1))).toBeNull()
  })
})

describe("laws", () => {
  it("an interval holds its mean, and a wider level holds a narrower one", () =>
    fc.assert(
      fc.property(several, (values) => {
        const { interval, mean } = Statistics.summary(values)
        const wide = Statistics.summary(values, 0.99).interval
        expect(interval?.low).toBeLessThanOrEqual(mean)
        expect(interval?.high).toBeGreaterThanOrEqual(mean)
        expect(wide?.low).toBeLessThanOrEqual(interval?.low ?? NaN)
      })
    ))

  it("the mean and deviation are those of a plain loop", () =>
    fc.assert(
      fc.property(several, (values) => {
        let sum = 0
        for (const x of values) sum += x
        let squares = 0
        for (const x of values) squares += (x - sum / values.length) ** 2
        const { mean, deviation } = Statistics.summary(values)
        expect(mean).toBeCloseTo(sum / values.length, 10)
        expect(deviation).toBeCloseTo(Math.sqrt(squares / (values.length - 1)), 8)
      })
    ))

  it("the order of the seeds changes nothing, to the last bit", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(measure, measure), { minLength: 1, maxLength: 8 }).chain((pairs) => {
          const samples = pairs.map(([a, b], seed) => ({ seed, a, b }))
          return fc.tuple(fc.constant(samples), shuffled(samples), shuffled(samples))
        }),
        ([samples, left, right]) => {
          const of = (side: "a" | "b") => (s: { seed: number; a: number; b: number }) => ({
            seed: s.seed,
            value: s[side]
          })
          const expected = Statistics.paired(samples.map(of("a")), samples.map(of("b")))
          expect(Statistics.paired(left.map(of("a")), right.map(of("b")))).toEqual(expected)
        }
      )
    ))

  it("swapping the sides turns the difference round and keeps the p-values", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(measure, measure), { minLength: 2, maxLength: 8 }), (pairs) => {
        const a = bySeed(pairs.map(([x]) => x))
        const b = bySeed(pairs.map(([, y]) => y))
        const there = Statistics.paired(a, b)
        const back = Statistics.paired(b, a)
        expect(back?.mean).toBeCloseTo(-(there?.mean ?? NaN), 10)
        expect(back?.pValue).toBeCloseTo(there?.pValue ?? NaN, 8)
        expect(back?.signFlip).toBe(there?.signFlip)
      })
    ))

  it("the interval of the paired difference excludes zero exactly when p < .05", () =>
    fc.assert(
      fc.property(several, (differences) => {
        const paired = Statistics.paired(bySeed(differences), bySeed(differences.map(() => 0)))
        if (paired === null || paired.interval === null || paired.pValue === null) throw new Error("two pairs at least")
        // without spread there is no t
        fc.pre(Math.abs(paired.pValue - 0.05) > 1e-9 && (paired.effectSize !== null || paired.mean === 0))
        expect(paired.interval.low > 0 || paired.interval.high < 0).toBe(paired.pValue < 0.05)
      })
    ))

  it("repeating the same values narrows the interval", () =>
    fc.assert(
      fc.property(several, fc.integer({ min: 2, max: 4 }), (values, times) => {
        const once = Statistics.summary(values).halfWidth ?? NaN
        const often = Statistics.summary(Array.from({ length: times }, () => values).flat()).halfWidth ?? NaN
        expect(often).toBeLessThanOrEqual(once + 1e-12)
      })
    ))

  it("the sign-flip p-value is that of listing every flip in whole numbers", () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 9 }), (differences) => {
        const sums = differences.reduce<ReadonlyArray<number>>((all, d) => all.flatMap((s) => [s + d, s - d]), [0])
        const observed = Math.abs(differences.reduce((a, b) => a + b, 0))
        const expected = sums.filter((s) => Math.abs(s) >= observed).length / sums.length
        expect(Statistics.signFlip(differences)).toBe(expected)
        // the same in tenths, which binary fractions cannot hold: ties stay ties
        expect(Statistics.signFlip(differences.map((d) => d / 10))).toBe(expected)
      })
    ))

  const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 })

  it("Holm never lowers a p-value, keeps their order and stays below Bonferroni", () =>
    fc.assert(
      fc.property(pValues, (ps) => {
        const adjusted = Statistics.holm(ps)
        ps.forEach((p, i) => {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p)
          expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, p * ps.length))
          ps.forEach((q, j) => {
            if (p < q) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j] ?? NaN)
          })
        })
      })
    ))

  it("Holm follows the p-values when they are reordered", () =>
    fc.assert(
      fc.property(
        pValues.chain((ps) => fc.tuple(fc.constant(ps), shuffled(ps.map((_, i) => i)))),
        ([ps, order]) => {
          const adjusted = Statistics.holm(ps)
          expect(Statistics.holm(order.map((i) => ps[i] ?? NaN))).toEqual(order.map((i) => adjusted[i]))
        }
      )
    ))
})
