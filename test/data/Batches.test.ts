import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { chunkCount, chunks, heldOutBatches, trainingBatches } from "../../src/data/Batches.ts"
import type { Dataset } from "../../src/data/Dataset.ts"
import { ConfigError, Seed } from "../../src/spec/index.ts"
import { toyDataset } from "./brown.ts"

const sizes = [40, 7, 60, 25, 33, 90, 61, 17, 44, 50, 62, 80]
const dataset = toyDataset(sizes)

/** Every window of a split's documents, as text. */
const windowsOf = (from: Dataset, split: "train" | "validation" | "test", inner: number): Array<string> =>
  [...from.documents[split]].flatMap(({ ids }) =>
    Array.from({ length: Math.max(0, ids.length - inner + 1) }, (_, i) => String(ids.subarray(i, i + inner)))
  )

const rowsIn = (ids: Int32Array, length: number): Array<Int32Array> =>
  Array.from({ length: ids.length / length }, (_, row) => ids.slice(row * length, (row + 1) * length))

describe("trainingBatches", () => {
  it("cuts rows from single training documents, between [CLS] and [SEP]", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 3, max: 30 }), (step, length) => {
        const windows = new Set(windowsOf(dataset, "train", length - 2))
        const { ids } = trainingBatches(dataset, { rows: 5, length }).clean(Seed.make(0), step)
        for (const row of rowsIn(ids, length)) {
          assert.strictEqual(row[0], 2)
          assert.strictEqual(row[length - 1], 3)
          assert.isTrue(windows.has(String(row.slice(1, -1))))
        }
      })
    )
  })

  it("gives every window the same chance", () => {
    const inner = 40
    const windows = windowsOf(dataset, "train", inner)
    const batches = trainingBatches(dataset, { rows: 32, length: inner + 2 })
    const seen = new Map<string, number>()
    const rows = 32 * 300
    for (let step = 0; step < 300; step++) {
      for (const row of rowsIn(batches.clean(Seed.make(5), step).ids, inner + 2)) {
        const window = String(row.slice(1, -1))
        seen.set(window, (seen.get(window) ?? 0) + 1)
      }
    }
    assert.strictEqual(new Set(windows).size, windows.length)
    for (const window of windows) {
      const p = 1 / windows.length
      assert.isBelow(Math.abs((seen.get(window) ?? 0) - rows * p), 5 * Math.sqrt(rows * p))
    }
  })

  it("makes any batch again alone, and another for another step or seed", () => {
    const batches = trainingBatches(dataset, { rows: 4, length: 20 })
    const row = Array.from({ length: 30 }, (_, step) => batches.masked(Seed.make(0), step))
    fc.assert(
      fc.property(fc.nat(29), (step) => {
        const alone = trainingBatches(toyDataset(sizes), { rows: 4, length: 20 }).masked(Seed.make(0), step)
        assert.deepStrictEqual(alone, row[step])
        assert.notDeepEqual(batches.masked(Seed.make(1), step), alone)
      }),
      { numRuns: 30 }
    )
    assert.strictEqual(new Set(row.map((batch) => String(batch.ids))).size, 30)
  })

  it("shows the same text masked and causal", () => {
    const batches = trainingBatches(dataset, { rows: 3, length: 20, maskRate: 0.25 })
    fc.assert(
      fc.property(fc.nat(), (step) => {
        const clean = batches.clean(Seed.make(0), step).ids
        const masked = batches.masked(Seed.make(0), step)
        assert.deepStrictEqual(batches.causal(Seed.make(0), step).ids, clean)
        assert.strictEqual(masked.positions.length, 3 * Math.round(0.25 * 18))
        assert.deepStrictEqual(
          [...masked.labels],
          [...masked.positions].map((at) => clean[at])
        )
        assert.isUndefined(masked.attention)
      })
    )
  })

  it("says every setting that cannot be at once", () => {
    try {
      trainingBatches(dataset, { rows: 0, length: 2.5, maskRate: -0.1 })
      assert.fail("nothing was refused")
    } catch (error) {
      assert.instanceOf(error, ConfigError)
      assert.deepStrictEqual(
        error.problems.map(({ key }) => key),
        ["rows", "length", "maskRate"]
      )
    }
    assert.throws(() => trainingBatches(dataset, { length: 93 }), /length = 93: must be at most 92/)
  })
})

describe("chunks", () => {
  it("are cut without overlap, and with their tags and genres", () => {
    const length = 12
    const all = chunks(dataset, {
      split: "train",
      count: chunkCount(dataset, "train", length),
      length,
      seed: Seed.make(0)
    })
    const expected = [...dataset.documents.train].flatMap(({ ids }) =>
      Array.from({ length: Math.floor(ids.length / 10) }, (_, n) =>
        [2, ...ids.subarray(n * 10, n * 10 + 10), 3].join(",")
      )
    )
    assert.deepStrictEqual(rowsIn(all.ids, length).map(String).sort(), expected.sort())
    assert.strictEqual(all.genres.length, all.rows)
    for (const row of rowsIn(all.tags, length))
      assert.deepStrictEqual([...row], [-1, ...Array.from({ length: 10 }, () => 0), -1])
  })

  it("are the same for the same seed, others for another", () => {
    const of = (seed: number) => chunks(dataset, { split: "train", count: 10, length: 12, seed: Seed.make(seed) })
    assert.deepStrictEqual(of(0), of(0))
    assert.notDeepEqual(of(0).ids, of(1).ids)
  })

  it("refuse to be more than there are", () => {
    assert.throws(
      () => chunks(dataset, { split: "test", count: 1000, length: 12, seed: Seed.make(0) }),
      /count = 1000: must be at most \d+, the chunks of the test split/
    )
  })
})

describe("heldOutBatches", () => {
  it("stay the same, and together are the chunks", () => {
    const options = { split: "train", count: 12, rows: 4, length: 12 } as const
    const { batches, spec } = heldOutBatches(dataset, options)
    assert.deepStrictEqual(heldOutBatches(dataset, options), { batches, spec })
    assert.strictEqual(batches.length, 3)
    const restored = batches.flatMap(({ ids, positions, labels }) => {
      const clean = Int32Array.from(ids)
      positions.forEach((at, n) => (clean[at] = labels[n] ?? 0))
      return rowsIn(clean, 12).map(String)
    })
    assert.strictEqual(new Set(restored).size, 12)
    assert.throws(() => heldOutBatches(dataset, { ...options, rows: 5 }), /count = 12: must be a multiple of rows/)
  })
})
