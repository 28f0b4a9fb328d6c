import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { attentionOf, causal, mask, maskedCount, type Rows } from "../../src/data/Masking.ts"
import { specialIds } from "../../src/data/Tokenizer.ts"
import { ConfigError, Seed } from "../../src/spec/index.ts"

const vocabulary = 50

/** Rows of one length, with any padding, few different pieces and so many repeats. */
const rowsOf = (longest: number): fc.Arbitrary<Rows> =>
  fc
    .array(fc.array(fc.integer({ min: 5, max: 9 }), { maxLength: longest - 2 }), { minLength: 1, maxLength: 5 })
    .map((texts) => ({
      rows: texts.length,
      length: longest,
      ids: Int32Array.from(
        texts.flatMap((text) => [
          specialIds.cls,
          ...text,
          specialIds.sep,
          ...Array.from({ length: longest - 2 - text.length }, () => specialIds.pad)
        ])
      )
    }))

const rate = fc.double({ min: 0.01, max: 1, noNaN: true })
const step = fc.nat(1000)

describe("mask", () => {
  it("hides exactly the rounded share of each row's pieces, never [CLS], [SEP] or padding", () => {
    fc.assert(
      fc.property(rowsOf(12), rate, step, (rows, share, n) => {
        const batch = mask(rows, { rate: share, vocabulary, seed: Seed.child(Seed.make(1), "mask", n) })
        const places = [...batch.positions]
        assert.deepStrictEqual(
          places,
          [...new Set(places)].sort((a, b) => a - b)
        )
        for (let row = 0; row < rows.rows; row++) {
          const pieces = rows.ids.slice(row * 12, row * 12 + 12).filter((id) => id >= 5).length
          const inRow = places.filter((at) => Math.floor(at / 12) === row)
          assert.strictEqual(inRow.length, maskedCount(share, pieces))
          assert.isTrue(inRow.every((at) => (rows.ids[at] ?? 0) >= 5))
        }
      })
    )
  })

  it("labels the hidden pieces, leaves the others, shows [MASK] or ordinary pieces", () => {
    fc.assert(
      fc.property(rowsOf(12), rate, step, (rows, share, n) => {
        const before = Int32Array.from(rows.ids)
        const batch = mask(rows, { rate: share, vocabulary, seed: Seed.child(Seed.make(2), "mask", n) })
        assert.deepStrictEqual(rows.ids, before)
        const hidden = new Set(batch.positions)
        assert.deepStrictEqual(
          [...batch.labels],
          [...batch.positions].map((at) => before[at])
        )
        batch.ids.forEach((id, at) => {
          if (!hidden.has(at)) assert.strictEqual(id, before[at])
          else assert.isTrue(id === specialIds.mask || (id >= 5 && id < vocabulary))
        })
      })
    )
  })

  it("is a function of rows and seed", () => {
    fc.assert(
      fc.property(rowsOf(20), step, (rows, n) => {
        const of = (k: number) => mask(rows, { rate: 0.5, vocabulary, seed: Seed.child(Seed.make(3), "mask", k) })
        assert.deepStrictEqual(of(n), of(n))
      })
    )
    const long = { rows: 1, length: 64, ids: new Int32Array(64).fill(7) }
    const places = new Set(
      Array.from({ length: 50 }, (_, k) => String(mask(long, { rate: 0.15, vocabulary, seed: Seed.make(k) }).positions))
    )
    assert.strictEqual(places.size, 50)
  })

  it("hides 80 % behind [MASK], changes 10 %, keeps 10 %, and every place equally often", () => {
    const batches = 400
    const rows: Rows = { rows: 4, length: 22, ids: new Int32Array(88).fill(5) }
    for (let row = 0; row < 4; row++) {
      rows.ids[row * 22] = specialIds.cls
      rows.ids[row * 22 + 21] = specialIds.sep
    }
    const shown = { mask: 0, kept: 0, changed: 0 }
    const columns = new Map<number, number>()
    const pieces = new Map<number, number>()
    for (let n = 0; n < batches; n++) {
      const batch = mask(rows, { rate: 0.25, vocabulary, seed: Seed.child(Seed.make(4), "mask", n) })
      for (const at of batch.positions) {
        const id = batch.ids[at] ?? 0
        columns.set(at % 22, (columns.get(at % 22) ?? 0) + 1)
        shown[id === specialIds.mask ? "mask" : id === 5 ? "kept" : "changed"]++
        if (id > 5) pieces.set(id, (pieces.get(id) ?? 0) + 1)
      }
    }
    // five standard deviations of a binomial count
    const near = (count: number, of: number, p: number, what: string) =>
      assert.isBelow(Math.abs(count - of * p), 5 * Math.sqrt(of * p * (1 - p)), `${what}: ${count} of ${of}`)
    const total = batches * 4 * 5
    assert.strictEqual(shown.mask + shown.kept + shown.changed, total)
    near(shown.mask, total, 0.8, "[MASK]")
    // a random piece is the original one once in 45 times
    near(shown.changed, total, (0.1 * 44) / 45, "changed")
    assert.strictEqual(columns.size, 20)
    for (const [column, count] of columns) near(count, total, 1 / 20, `column ${column}`)
    assert.strictEqual(pieces.size, 44)
    for (const [piece, count] of pieces) near(count, shown.changed, 1 / 44, `piece ${piece}`)
  })

  it("refuses a rate that is no share", () => {
    const rows = { rows: 1, length: 3, ids: Int32Array.of(2, 7, 3) }
    for (const bad of [0, -0.1, 1.1, NaN]) {
      assert.throws(() => mask(rows, { rate: bad, vocabulary, seed: Seed.make(0) }), ConfigError)
    }
  })
})

describe("causal", () => {
  it("shows every piece and asks for the next one", () => {
    fc.assert(
      fc.property(rowsOf(9), (rows) => {
        const batch = causal(rows)
        const expected: Array<readonly [number, number]> = []
        for (let row = 0; row < rows.rows; row++) {
          for (let column = 0; column < 8; column++) {
            const next = rows.ids[row * 9 + column + 1] ?? 0
            if (next !== specialIds.pad) expected.push([row * 9 + column, next])
          }
        }
        assert.deepStrictEqual(batch.ids, rows.ids)
        assert.deepStrictEqual(
          [...batch.positions],
          expected.map(([at]) => at)
        )
        assert.deepStrictEqual(
          [...batch.labels],
          expected.map(([, next]) => next)
        )
      })
    )
  })
})

describe("attentionOf", () => {
  it("is absent where nothing is padded", () => {
    assert.isUndefined(attentionOf(Int32Array.of(2, 5, 3)))
    assert.deepStrictEqual(attentionOf(Int32Array.of(2, 5, 3, 0)), Float32Array.of(1, 1, 1, 0))
  })
})
