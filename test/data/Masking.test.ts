import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { attentionOf, causal, mask, maskedCount, type Rows } from "../../src/data/Masking.ts"
import { type PieceIds, pieceIdsOf } from "../../src/data/wordpiece/PieceIds.ts"
import { ConfigError, Seed } from "../../src/spec/index.ts"

const names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
const words = Array.from({ length: 45 }, (_, n) => `w${n}`)
const pieces = pieceIdsOf([...names, ...words])
const { special } = pieces

/** As in BERT's own vocabularies: padding, free pieces, the other special ones, words. */
const bert = pieceIdsOf(["[PAD]", ...Array.from({ length: 9 }, (_, n) => `[unused${n}]`), ...names.slice(1), ...words])

/** Rows of one length, with any padding, few different pieces and so many repeats. */
const rowsOf = (longest: number, { special, ordinary }: PieceIds = pieces): fc.Arbitrary<Rows> =>
  fc
    .array(fc.array(fc.constantFrom(...ordinary.subarray(0, 5)), { maxLength: longest - 2 }), {
      minLength: 1,
      maxLength: 5
    })
    .map((texts) => ({
      rows: texts.length,
      length: longest,
      ids: Int32Array.from(
        texts.flatMap((text) => [
          special.cls,
          ...text,
          special.sep,
          ...Array.from({ length: longest - 2 - text.length }, () => special.pad)
        ])
      )
    }))

const rate = fc.double({ min: 0.01, max: 1, noNaN: true })
const step = fc.nat(1000)

describe("mask", () => {
  it("hides exactly the rounded share of each row's pieces, never [CLS], [SEP] or padding", () => {
    fc.assert(
      fc.property(rowsOf(12), rate, step, (rows, share, n) => {
        const batch = mask(rows, { rate: share, pieces, seed: Seed.child(Seed.make(1), "mask", n) })
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
        const batch = mask(rows, { rate: share, pieces, seed: Seed.child(Seed.make(2), "mask", n) })
        assert.deepStrictEqual(rows.ids, before)
        const hidden = new Set(batch.positions)
        assert.deepStrictEqual(
          [...batch.labels],
          [...batch.positions].map((at) => before[at])
        )
        batch.ids.forEach((id, at) => {
          if (!hidden.has(at)) assert.strictEqual(id, before[at])
          else assert.isTrue(id === special.mask || (id >= 5 && id < 50))
        })
      })
    )
  })

  it("is a function of rows and seed", () => {
    fc.assert(
      fc.property(rowsOf(20), step, (rows, n) => {
        const of = (k: number) => mask(rows, { rate: 0.5, pieces, seed: Seed.child(Seed.make(3), "mask", k) })
        assert.deepStrictEqual(of(n), of(n))
      })
    )
    const long = { rows: 1, length: 64, ids: new Int32Array(64).fill(7) }
    const places = new Set(
      Array.from({ length: 50 }, (_, k) => String(mask(long, { rate: 0.15, pieces, seed: Seed.make(k) }).positions))
    )
    assert.strictEqual(places.size, 50)
  })

  it("hides 80 % behind [MASK], changes 10 %, keeps 10 %, and every place equally often", () => {
    const batches = 400
    const rows: Rows = { rows: 4, length: 22, ids: new Int32Array(88).fill(5) }
    for (let row = 0; row < 4; row++) {
      rows.ids[row * 22] = special.cls
      rows.ids[row * 22 + 21] = special.sep
    }
    const shown = { mask: 0, kept: 0, changed: 0 }
    const columns = new Map<number, number>()
    const shares = new Map<number, number>()
    for (let n = 0; n < batches; n++) {
      const batch = mask(rows, { rate: 0.25, pieces, seed: Seed.child(Seed.make(4), "mask", n) })
      for (const at of batch.positions) {
        const id = batch.ids[at] ?? 0
        columns.set(at % 22, (columns.get(at % 22) ?? 0) + 1)
        shown[id === special.mask ? "mask" : id === 5 ? "kept" : "changed"]++
        if (id > 5) shares.set(id, (shares.get(id) ?? 0) + 1)
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
    assert.strictEqual(shares.size, 44)
    for (const [piece, count] of shares) near(count, shown.changed, 1 / 44, `piece ${piece}`)
  })

  it("knows the special pieces wherever they are, and shows no free ones", () => {
    fc.assert(
      fc.property(rowsOf(12, bert), rate, step, (rows, share, n) => {
        const seed = Seed.child(Seed.make(5), "mask", n)
        const batch = mask(rows, { rate: share, pieces: bert, seed })
        const ordinary = new Set(bert.ordinary)
        for (const label of batch.labels) assert.isTrue(ordinary.has(label))
        for (const at of batch.positions)
          assert.isTrue(batch.ids[at] === bert.special.mask || ordinary.has(batch.ids[at] ?? -1))
        // the same rows in the other vocabulary, whose words have other ids
        const idOf = new Map([...bert.ordinary].map((id, word) => [id, pieces.ordinary[word] ?? -1]))
        for (const name of ["pad", "cls", "sep", "mask"] as const) idOf.set(bert.special[name], special[name])
        const there = (ids: Int32Array) => ids.map((id) => idOf.get(id) ?? -1)
        const same = mask({ ...rows, ids: there(rows.ids) }, { rate: share, pieces, seed })
        assert.deepStrictEqual(same, { ...batch, ids: there(batch.ids), labels: there(batch.labels) })
      })
    )
    const draws = Array.from({ length: 60 }, (_, n) =>
      mask(
        { rows: 1, length: 100, ids: new Int32Array(100).fill(bert.ordinary[0] ?? 0) },
        { rate: 1, pieces: bert, seed: Seed.child(Seed.make(6), "mask", n) }
      )
    )
    const shown = new Set(draws.flatMap(({ ids }) => [...ids]))
    shown.delete(bert.special.mask)
    assert.deepStrictEqual(
      [...shown].toSorted((a, b) => a - b),
      [...bert.ordinary]
    )
  })

  it("refuses a vocabulary without ordinary pieces", () => {
    const none = { special, ordinary: new Int32Array(0) }
    const rows = { rows: 1, length: 3, ids: Int32Array.of(2, 7, 3) }
    assert.throws(() => mask(rows, { rate: 0.5, pieces: none, seed: Seed.make(0) }), /ordinary pieces/)
  })

  it("shows text as it is at rate 0, and asks for nothing", () => {
    const rows = { rows: 1, length: 5, ids: Int32Array.of(2, 7, 8, 9, 3) }
    const { ids, positions, labels } = mask(rows, { rate: 0, pieces, seed: Seed.make(0) })
    assert.deepStrictEqual([ids, positions.length, labels.length], [rows.ids, 0, 0])
  })

  it("refuses a rate that is no share", () => {
    const rows = { rows: 1, length: 3, ids: Int32Array.of(2, 7, 3) }
    for (const bad of [-0.1, 1.1, NaN]) {
      assert.throws(() => mask(rows, { rate: bad, pieces, seed: Seed.make(0) }), ConfigError)
    }
  })
})

describe("causal", () => {
  it("shows every piece and asks for the next one", () => {
    fc.assert(
      fc.property(rowsOf(9), (rows) => {
        const batch = causal(rows, special)
        const expected: Array<readonly [number, number]> = []
        for (let row = 0; row < rows.rows; row++) {
          for (let column = 0; column < 8; column++) {
            const next = rows.ids[row * 9 + column + 1] ?? 0
            if (next !== special.pad) expected.push([row * 9 + column, next])
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
    assert.isUndefined(attentionOf(Int32Array.of(2, 5, 3), special))
    assert.deepStrictEqual(attentionOf(Int32Array.of(2, 5, 3, 0), special), Float32Array.of(1, 1, 1, 0))
  })
})
