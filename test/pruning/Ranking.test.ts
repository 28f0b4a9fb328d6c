import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Axis, BertConfig } from "homodistil/model"
import { Ranking, ShapeError } from "homodistil/pruning"

const axis = (size: number, blocks = 1): Axis.Axes => Axis.of([{ id: "layer.0.vo", size, blocks, prunable: true }])
const width = (ranking: Ranking.Ranking, size: number, ratio: number, blocks = 1): number => {
  const axes = axis(size, blocks)
  return ranking.widths({ original: axes, current: axes, ratio }).get("layer.0.vo") ?? size
}

describe("Ranking.local", () => {
  it("rounds to the nearest width, halves to the even one, and keeps at least one", () => {
    const widths = [
      [10, 0.25, 2],
      [14, 0.25, 4],
      [10, 0.26, 3],
      [10, 0.01, 1],
      [512, 0.25, 128]
    ] as const
    for (const [size, ratio, expected] of widths) assert.strictEqual(width(Ranking.local(), size, ratio), expected)
    assert.strictEqual(width(Ranking.local(), 128, 0.3, 4), 4 * 10)
  })

  it("keeps multiples, by the axis or its kind", () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (multiple, times, ratio) => {
          for (const key of ["vo", "layer.0.vo"]) {
            const kept = width(Ranking.local({ multiples: { [key]: multiple } }), multiple * times, ratio)
            assert.strictEqual(kept % multiple, 0)
            assert.isTrue(kept >= multiple && kept <= multiple * times)
            assert.isAtMost(
              Math.abs(kept - ratio * multiple * times),
              Math.max(multiple / 2, multiple - ratio * multiple * times)
            )
          }
        }
      )
    ))

  it("counts from the original size, so that many small steps end where one large one does", () => {
    const original = BertConfig.axes(BertConfig.micro)
    let current = original
    for (const ratio of [0.9, 0.77, 0.5, 0.31, 0.25])
      current = Axis.resize(current, Ranking.local().widths({ original, current, ratio }))
    const expected = { hidden: 32, "layer.0.ffn": 128, "layer.3.qk": 32, "layer.2.vo": 32, vocab: 4096 }
    for (const [id, size] of Object.entries(expected)) assert.strictEqual(Axis.get(current, id).size, size)
  })

  it("refuses scores that are missing or no numbers, and illegal multiples", () => {
    const axes = axis(2)
    for (const scores of [new Map(), new Map([["layer.0.vo", Float32Array.of(1, Number.NaN)]])])
      assert.throws(() => Ranking.local().plan({ original: axes, current: axes, ratio: 0.5, scores }), ShapeError)
    assert.throws(() => Ranking.local({ multiples: { hidden: 0 } }), /local\.multiples\.hidden = 0/)
  })
})

describe("Ranking.toWidths", () => {
  const target = fc
    .record({
      blocks: fc.integer({ min: 1, max: 4 }),
      units: fc.integer({ min: 1, max: 16 }),
      left: fc.double({ min: 0, max: 1, noNaN: true }),
      final: fc.double({ min: 0.05, max: 0.95, noNaN: true })
    })
    .map(({ blocks, units, left, final }) => ({
      axes: axis(blocks * units, blocks),
      to: blocks * Math.max(1, Math.round(left * units)),
      final,
      blocks
    }))

  it("falls from an axis' own width to its target, never rising, and is there at the final ratio", () =>
    fc.assert(
      fc.property(
        target,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }),
        ({ axes, to, final, blocks }, shares) => {
          const ranking = Ranking.toWidths({ final, widths: { vo: to } })
          const whole = Axis.get(axes, "layer.0.vo").size
          const ratios = [1, ...shares.map((share) => 1 - share * (1 - final)).sort((a, b) => b - a), final]
          let current = axes
          for (const ratio of ratios) {
            const before = Axis.get(current, "layer.0.vo").size
            current = Axis.resize(current, ranking.widths({ original: axes, current, ratio }))
            const { size } = Axis.get(current, "layer.0.vo")
            assert.isTrue(size <= before && size >= to && size % blocks === 0)
            assert.isAtMost(Math.abs(size - (whole - ((whole - to) * (1 - ratio)) / (1 - final))), blocks / 2 + 1e-6)
          }
          assert.strictEqual(Axis.get(current, "layer.0.vo").size, to)
        }
      )
    ))

  it("falls as `local` does where every axis has the same share to go", () =>
    fc.assert(
      fc.property(fc.double({ min: 0.25, max: 1, noNaN: true }), (ratio) => {
        const original = BertConfig.axes(BertConfig.micro)
        const of = (ranking: Ranking.Ranking) => ranking.widths({ original, current: original, ratio })
        const targets = Ranking.toWidths({ final: 0.25, widths: { hidden: 32, ffn: 128, qk: 32, vo: 32 } })
        for (const [id, width] of of(Ranking.local()))
          assert.isAtMost(Math.abs(width - (of(targets).get(id) ?? Axis.get(original, id).size)), 4)
      })
    ))

  it("refuses targets that an axis cannot have", () => {
    const wrong = (to: number) =>
      Ranking.toWidths({ final: 0.5, widths: { vo: to } }).widths({
        original: axis(8, 4),
        current: axis(8, 4),
        ratio: 0.5
      })
    assert.throws(() => wrong(12), /width of layer\.0\.vo = 12: must be a multiple of 4 up to 8; use 8/)
    assert.throws(() => wrong(6), /use 4/)
    assert.throws(() => Ranking.toWidths({ final: 0, widths: {} }), /toWidths\.final = 0/)
  })
})
