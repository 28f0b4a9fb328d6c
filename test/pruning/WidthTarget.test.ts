import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { BertConfig } from "homodistil/model"
import { WidthTarget } from "homodistil/pruning"

const config = fc
  .record({
    heads: fc.integer({ min: 1, max: 6 }),
    width: fc.integer({ min: 1, max: 12 }),
    ffn: fc.integer({ min: 1, max: 200 }),
    layers: fc.integer({ min: 1, max: 3 })
  })
  .map(({ heads, width, ffn, layers }) =>
    BertConfig.uniform({ vocabSize: 30, positions: 8, layers, heads, hidden: heads * width, ffn })
  )

const message = (request: WidthTarget.Request, options?: { readonly free?: boolean }) =>
  Result.getOrThrow(Result.flip(WidthTarget.choose(BertConfig.micro, request, options))).message

describe("WidthTarget", () => {
  it("climbs down a ladder of plain BERTs, each smaller than the one before", () =>
    fc.assert(
      fc.property(config, (teacher) => {
        const shapes = WidthTarget.ladder(teacher).map((rung) => WidthTarget.resize(teacher, rung))
        assert.deepEqual(shapes[0], { ...teacher, scale: teacher.scale })
        for (const shape of shapes) {
          assert.strictEqual(shape.hidden % shape.heads, 0)
          assert.isTrue([...shape.qk, ...shape.vo].every((width) => width === shape.hidden))
        }
        const sizes = shapes.map(WidthTarget.parameters)
        sizes.slice(1).forEach((size, i) => assert.isBelow(size, sizes[i] ?? 0))
      })
    ))

  it("finds the widest student that a number of parameters allows", () =>
    fc.assert(
      fc.property(config, fc.double({ min: 0, max: 1.2, noNaN: true }), (teacher, share) => {
        const most = Math.floor(share * WidthTarget.parameters(teacher))
        const sizes = WidthTarget.ladder(teacher).map((rung) =>
          WidthTarget.parameters(WidthTarget.resize(teacher, rung))
        )
        const chosen = WidthTarget.choose(teacher, { parameters: most })
        const legal = sizes.filter((size) => size <= most)
        if (legal.length === 0) return assert.isTrue(Result.isFailure(chosen))
        const size = WidthTarget.parameters(WidthTarget.resize(teacher, Result.getOrThrow(chosen)))
        return assert.strictEqual(size, Math.max(...legal))
      })
    ))

  it("keeps a ratio within half a rung, and gives plain BERTs unless it is free", () =>
    fc.assert(
      fc.property(config, fc.double({ min: 0.01, max: 1, noNaN: true }), (teacher, ratio) => {
        const { hidden, qk, vo, ffn } = Result.getOrThrow(WidthTarget.choose(teacher, { ratio }))
        assert.isTrue(qk === hidden && vo === hidden && hidden % teacher.heads === 0)
        assert.isAtMost(Math.abs(hidden - Math.max(ratio * teacher.hidden, teacher.heads)), teacher.heads / 2 + 1e-9)
        assert.strictEqual(ffn, Math.max(1, Math.round(ratio * (teacher.ffn[0] ?? 0))))
        const free = Result.getOrThrow(WidthTarget.choose(teacher, { ratio }, { free: true }))
        assert.strictEqual(free.hidden, Math.max(1, Math.round(ratio * teacher.hidden)))
      })
    ))

  it("lets heads and the residual stream follow each other", () => {
    const choose = (request: WidthTarget.Request, free = false) =>
      Result.getOrThrow(WidthTarget.choose(BertConfig.micro, request, { free }))
    assert.deepEqual(choose({ hidden: 64 }), { hidden: 64, ffn: 512, qk: 64, vo: 64 })
    assert.deepEqual(choose({ headWidth: 8, ffn: 100 }), { hidden: 32, ffn: 100, qk: 32, vo: 32 })
    assert.deepEqual(choose({ hidden: 64, headWidth: 8 }, true), { hidden: 64, ffn: 512, qk: 32, vo: 32 })
    assert.deepEqual(choose({ ffn: 256 }), { hidden: 128, ffn: 256, qk: 128, vo: 128 })
  })

  it("refuses what cannot be, all at once, with a remedy", () => {
    assert.match(
      message({ hidden: 50, ffn: 0 }),
      /--hidden = 50: must be a multiple of 4 in 1 … 128.*use 52[^]*--ffn = 0/
    )
    assert.match(message({ hidden: 64, headWidth: 8 }), /--head-width = 8.*use 16, or --hidden 32, or --any-widths/)
    assert.match(message({ parameters: 10 }), /--params = 10: must be at least \d+/)
    assert.match(message({ ratio: 1.5 }), /--ratio = 1\.5/)
    assert.match(message({ hidden: Number.NaN }, { free: true }), /--hidden = NaN.*use 128/)
  })

  it("asks for a share where layers differ", () => {
    const uneven = { ...BertConfig.micro, ffn: [512, 256, 512, 512] }
    assert.deepEqual(WidthTarget.ladder(uneven), [])
    const error = Result.getOrThrow(Result.flip(WidthTarget.choose(uneven, { parameters: 1e6 })))
    assert.match(error.message, /use --ratio with --any-widths/)
  })
})

describe("WidthTarget.checkHeads", () => {
  it("lets a teacher's own number of heads be, and names a legal head width for any other", () =>
    fc.assert(
      fc.property(config, fc.integer({ min: -2, max: 9 }), (teacher, asked) => {
        const checked = WidthTarget.checkHeads(teacher, asked)
        if (asked === teacher.heads) return assert.deepEqual(checked, Result.succeed(teacher))
        const { message } = Result.getOrThrow(Result.flip(checked))
        assert.match(message, new RegExp(`^--heads = ${asked}: must be ${teacher.heads}, the heads of the teacher`))
        const named = /--head-width (\d+)/.exec(message)?.[1]
        if (asked < 1 || asked > teacher.heads) return assert.isUndefined(named)
        const headWidth = Number(named)
        const { qk } = Result.getOrThrow(WidthTarget.choose(teacher, { headWidth }))
        // no other head width comes nearer to the units of so many whole heads
        const units = (asked * teacher.hidden) / teacher.heads
        for (let other = 1; other <= teacher.hidden / teacher.heads; other++)
          assert.isAtMost(Math.abs(qk - units), Math.abs(other * teacher.heads - units))
        assert.strictEqual(/, as many as/.test(message), qk === units)
      })
    ))
})
