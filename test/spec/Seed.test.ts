import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Seed } from "homodistil/spec"

const paths = fc.string({ maxLength: 8 })

/** Pearson's statistic of counts that should be equal; its mean is the number of cells less one. */
const chiSquare = (counts: ReadonlyArray<number>): number => {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
}
/** More than five standard deviations above the mean of the statistic's distribution. */
const tooUneven = (counts: ReadonlyArray<number>): boolean => {
  const freedom = counts.length - 1
  return chiSquare(counts) > freedom + 5 * Math.sqrt(2 * freedom)
}
const tally = (values: ArrayLike<number>, cells: number): ReadonlyArray<number> => {
  const counts = Array.from({ length: cells }, () => 0)
  for (const value of Array.from(values)) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

describe("Seed", () => {
  it("is a path: the same path gives the same numbers, another path others", () =>
    fc.assert(
      fc.property(paths, paths, fc.nat(), (root, purpose, step) => {
        const seed = Seed.child(Seed.make(root), purpose, step)
        assert.strictEqual(seed.path, `${root}/${purpose}/${step}`)
        assert.deepStrictEqual(Seed.words({ path: seed.path }, 8), Seed.words(seed, 8))
        assert.notDeepEqual(Seed.words(Seed.child(Seed.make(root), purpose, step + 1), 8), Seed.words(seed, 8))
        assert.notDeepEqual(Seed.words(Seed.child(seed, purpose), 8), Seed.words(seed, 8))
      })
    ))

  it("draws uniform numbers in [0, 1), evenly", () => {
    const draws = Seed.uniforms(Seed.make("even"), 50_000)
    assert.isTrue(draws.every((u) => u >= 0 && u < 1))
    assert.isFalse(
      tooUneven(
        tally(
          draws.map((u) => Math.floor(100 * u)),
          100
        )
      )
    )
    // pairs of neighbours fill the square as evenly
    const pairs = Array.from(
      { length: draws.length / 2 },
      (_, i) => 16 * Math.floor(16 * (draws[2 * i] ?? 0)) + Math.floor(16 * (draws[2 * i + 1] ?? 0))
    )
    assert.isFalse(tooUneven(tally(pairs, 256)))
    assert.isTrue(
      tooUneven(
        tally(
          draws.map((u) => Math.floor(100 * u ** 1.1)),
          100
        )
      ),
      "the check can fail"
    )
  })

  it("gives children that have nothing to do with each other", () => {
    const root = Seed.make(1)
    const [a, b] = ["a", "b"].map((purpose) => Seed.uniforms(Seed.child(root, purpose), 20_000))
    const cells = Array.from(a ?? [], (u, i) => 12 * Math.floor(12 * u) + Math.floor(12 * (b?.[i] ?? 0)))
    assert.isFalse(tooUneven(tally(cells, 144)))
    // the first numbers of a thousand steps are as even as a thousand numbers of one
    const firsts = Array.from(
      { length: 4000 },
      (_, step) => Seed.integers(Seed.child(root, "mask", step), 1, 20)[0] ?? 0
    )
    assert.isFalse(tooUneven(tally(firsts, 20)))
  })

  it("draws integers below their bound, every one of them", () =>
    fc.assert(
      fc.property(paths, fc.integer({ min: 1, max: 40 }), (path, below) => {
        const draws = Seed.integers(Seed.make(path), 40 * below, below)
        assert.isTrue(draws.every((n) => Number.isInteger(n) && n >= 0 && n < below))
        assert.strictEqual(new Set(draws).size, below)
      }),
      { numRuns: 40 }
    ))

  it("draws normal numbers of mean 0 and variance 1, without end only in theory", () => {
    const count = 50_000
    const draws = Array.from(Seed.normals(Seed.make("normal"), count))
    const moment = (power: number) => draws.reduce((sum, z) => sum + z ** power, 0) / count
    // their standard deviations are 1, √2, √15 and √96 over √count
    for (const [power, expected, deviation] of [
      [1, 0, 1],
      [2, 1, 2 ** 0.5],
      [3, 0, 15 ** 0.5],
      [4, 3, 96 ** 0.5]
    ] as const)
      assert.closeTo(moment(power), expected, (5 * deviation) / Math.sqrt(count), `moment ${power}`)
    assert.isTrue(draws.every(Number.isFinite))
  })

  it("makes permutations: each place once, any order as likely", () => {
    fc.assert(
      fc.property(paths, fc.nat({ max: 50 }), (path, count) => {
        const order = Seed.permutation(Seed.make(path), count)
        assert.deepStrictEqual(
          [...order].toSorted((a, b) => a - b),
          Array.from({ length: count }, (_, i) => i)
        )
      })
    )
    const code = (order: Int32Array): number => ["012", "021", "102", "120", "201", "210"].indexOf(order.join(""))
    const orders = Array.from({ length: 3000 }, (_, i) =>
      code(Seed.permutation(Seed.child(Seed.make(0), "order", i), 3))
    )
    assert.isFalse(tooUneven(tally(orders, 6)))
  })
})
