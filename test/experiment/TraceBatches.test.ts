import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { pieceIdsOf } from "homodistil/data"
import { TraceBatches } from "homodistil/experiment"
import { Seed } from "homodistil/spec"

const shape = fc.record({
  rows: fc.integer({ min: 1, max: 6 }),
  length: fc.integer({ min: 8, max: 24 }),
  seed: fc.nat(),
  step: fc.nat({ max: 99 })
})

const pieces = pieceIdsOf([
  "[PAD]",
  "[unused0]",
  "[UNK]",
  "[CLS]",
  "[SEP]",
  "[MASK]",
  ...Array.from({ length: 95 }, (_, n) => `w${n}`)
])
const { special } = pieces

const clean = (rows: number, length: number) => (seed: Seed.Seed, step: number) => ({
  rows,
  length,
  ids: Seed.integers(Seed.child(seed, "text", step), rows * length, 95).map((id, i) =>
    i % length === 0 ? special.cls : i % length === length - 1 ? special.sep : (pieces.ordinary[id] ?? 0)
  )
})

const batchOf = (kind: TraceBatches.Kind, o: { rows: number; length: number; seed: number }, step: number) =>
  TraceBatches.of(kind, { clean: clean(o.rows, o.length), pieces, maskRate: 0.3 })(Seed.make(o.seed), step)

describe("TraceBatches", () => {
  it("masks as many places at each step, whatever the text", () => {
    fc.assert(
      fc.property(shape, fc.constantFrom(...TraceBatches.kinds), (o, kind) => {
        const [here, there] = [batchOf(kind, o, o.step), batchOf(kind, o, o.step + 1)]
        assert.strictEqual(here.labels.length, there.labels.length)
        assert.strictEqual(here.attention === undefined, there.attention === undefined)
      })
    )
  })

  it("pads the ends of rows, shows nothing there and predicts nothing there", () => {
    fc.assert(
      fc.property(shape, (o) => {
        const { attention, ids, positions } = batchOf("padded", o, o.step)
        for (let row = 0; row < o.rows; row++) {
          const count = o.length - Math.floor((row * o.length) / (2 * o.rows))
          for (let column = 0; column < o.length; column++) {
            const at = row * o.length + column
            if (attention !== undefined) assert.strictEqual(attention[at], column < count ? 1 : 0)
            assert.strictEqual(ids[at] === special.pad, column >= count)
          }
          assert.strictEqual(ids[row * o.length + count - 1], special.sep)
        }
        for (const at of positions) assert.notStrictEqual(ids[at], special.pad)
      })
    )
  })

  it("repeats eight pieces", () => {
    fc.assert(
      fc.property(shape, (o) => {
        for (const label of batchOf("repeated", o, o.step).labels)
          assert.include([...pieces.ordinary.subarray(0, 8)], label)
      })
    )
  })
})
