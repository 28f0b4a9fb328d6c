import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OnnxBackend } from "../../src/backend/index.ts"
import * as StudentSize from "../../src/cli/StudentSize.ts"
import { BertConfig } from "../../src/model/index.ts"
import { WidthTarget } from "../../src/pruning/index.ts"

const none: StudentSize.Options = {
  ratio: Option.none(),
  hidden: Option.none(),
  ffn: Option.none(),
  headWidth: Option.none(),
  heads: Option.none(),
  params: Option.none(),
  latency: Option.none(),
  anyWidths: false
}
const ask = (o: Partial<StudentSize.Options>) => Effect.runSync(StudentSize.request({ ...none, ...o }))
const refused = (o: Partial<StudentSize.Options>) =>
  Effect.runSync(Effect.flip(StudentSize.request({ ...none, ...o }))).message

describe("StudentSize.request", () => {
  it("reads shares, widths, numbers of parameters and speed-ups", () => {
    assert.deepEqual(ask({}), { ratio: 0.25 })
    assert.deepEqual(ask({ ratio: Option.some(0.5) }), { ratio: 0.5 })
    assert.deepEqual(ask({ hidden: Option.some(64), ffn: Option.some(100) }), { hidden: 64, ffn: 100 })
    for (const [written, parameters] of [
      ["14M", 14e6],
      ["500k", 5e5],
      ["1.5m", 1.5e6],
      ["1200000", 1.2e6],
      ["3e5", 3e5]
    ] as const)
      assert.deepEqual(ask({ params: Option.some(written) }), { parameters })
    assert.deepEqual(ask({ latency: Option.some("2.5x") }), { speedUp: 2.5 })
    assert.deepEqual(ask({ latency: Option.some("2") }), { speedUp: 2 })
  })

  it("refuses two sizes at once, and what is no size", () => {
    assert.match(refused({ ratio: Option.some(0.5), hidden: Option.some(64) }), /--hidden = 64.*beside --ratio/)
    assert.match(refused({ params: Option.some("1M"), latency: Option.some("2x") }), /--latency = 2x.*beside --params/)
    for (const value of ["many", "", "-3M", "14 M B", "0"])
      assert.match(refused({ params: Option.some(value) }), /--params = .*use for example --params 14M/)
    for (const value of [".5x", "fast", "0.5x"])
      assert.match(refused({ latency: Option.some(value) }), /--latency = .*at least 1x/)
  })
})

describe("StudentSize.choose", () => {
  const teacher = BertConfig.micro
  const choose = (request: StudentSize.Request, lines: Array<string> = []) =>
    StudentSize.choose(teacher, request, {
      anyWidths: false,
      told: (line) => Effect.sync(() => void lines.push(line))
    }).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))

  it.live("lets the ratio fall to the smallest share", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* choose({ ratio: 0.5 }), {
        widths: { hidden: 64, ffn: 256, qk: 64, vo: 64 },
        ratio: 0.5
      })
      assert.strictEqual((yield* choose({ hidden: 64, ffn: 64 })).ratio, 0.125)
      assert.strictEqual((yield* choose({ parameters: 1e9 })).ratio, 1)
    })
  )

  it.live("times students for a speed-up, and says what it timed", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const { widths } = yield* choose({ speedUp: 1 }, lines)
      assert.isTrue(WidthTarget.ladder(teacher).some((rung) => rung.hidden === widths?.hidden))
      assert.isAbove(lines.length, 3)
      assert.match(lines[0] ?? "", /^hidden \d+: [\d.]+ ms against [\d.]+ ms, [\d.]+x$/)
      const error = yield* Effect.flip(choose({ speedUp: 1e6 }))
      assert.match(error.message, /--latency = 1000000x: must be at most about [\d.]+x/)
    })
  )
})

describe("StudentSize.outline", () => {
  it("shows both shapes side by side", () => {
    const half = WidthTarget.resize(BertConfig.micro, { hidden: 64, ffn: 256, qk: 64, vo: 64 })
    const [head = "", first = "", second = ""] = StudentSize.outline(BertConfig.micro, half, 64)
    assert.match(head, /layers +hidden +feed-forward +heads +parameters +FLOPs a piece +fewer/)
    assert.match(first, /^teacher +4 +128 +512 +4 × 32 +1\.35M .* 1\.00x$/)
    assert.match(second, /^student +4 +64 +256 +4 × 16 +475k .* 3\.\d+x$/)
    const uneven = { ...half, vo: [32, 64, 64, 64] }
    assert.match(StudentSize.outline(BertConfig.micro, uneven, 64)[2] ?? "", /4 × 16\/8…16/)
  })
})
