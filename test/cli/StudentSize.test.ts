import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { Backend, type Compiled, OnnxBackend, Tensor, Tree } from "../../src/backend/index.ts"
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

const taking = <I, O>(micros: number, compiled: Compiled<I, O>): Compiled<I, O> => ({
  ...compiled,
  run: (inputs, into) => Effect.andThen(TestClock.adjust(Duration.micros(BigInt(micros))), compiled.run(inputs, into))
})

/** A backend on which a run takes a microsecond for each parameter of the model, by the clock of tests. */
const byParameters = Layer.effect(
  Backend,
  Effect.map(Backend, (real) => ({
    ...real,
    compile: (name, signature, text) => {
      const sizes = Tree.entries(signature, Tree.isSpec)
        .filter(([path]) => path.startsWith("model"))
        .map(([, { shape }]) => Tensor.elements(shape))
      const parameters = sizes.reduce((sum, size) => sum + size, 0)
      return Effect.map(real.compile(name, signature, text), (compiled) => taking(parameters, compiled))
    }
  }))
).pipe(Layer.provide(OnnxBackend.layer({ threads: 1 })))

describe("StudentSize.choose", () => {
  const teacher = BertConfig.micro
  const choose = (request: StudentSize.Request, lines: Array<string> = []) =>
    StudentSize.choose(teacher, request, {
      anyWidths: false,
      told: (line) => Effect.sync(() => void lines.push(line))
    })

  /** How much faster a student is where each parameter takes a model the same time. */
  const factor = (rung: WidthTarget.Widths): number =>
    WidthTarget.parameters(teacher) / WidthTarget.parameters(WidthTarget.resize(teacher, rung))

  it("lets the ratio fall to the smallest share", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* choose({ ratio: 0.5 }), {
        widths: { hidden: 64, ffn: 256, qk: 64, vo: 64 },
        ratio: 0.5
      })
      assert.strictEqual((yield* choose({ hidden: 64, ffn: 64 })).ratio, 0.125)
      assert.strictEqual((yield* choose({ parameters: 1e9 })).ratio, 1)
    }).pipe(Effect.provide(byParameters), Effect.runPromise))

  it("times students for a speed-up, says what it timed, and takes the widest that reaches it", () =>
    Effect.gen(function* () {
      for (const speedUp of [1, 2, 3.5, 8]) {
        const lines: Array<string> = []
        const { widths } = yield* choose({ speedUp }, lines)
        const reach = WidthTarget.ladder(teacher).filter((rung) => factor(rung) >= speedUp)
        assert.deepEqual(widths, reach[0], `${speedUp}x`)
        assert.isAtLeast(lines.length, 4)
        for (const line of lines) {
          const [, hidden, said] = /^hidden (\d+): [\d.]+ ms against [\d.]+ ms, ([\d.]+)x$/.exec(line) ?? []
          const timed = WidthTarget.ladder(teacher).find((rung) => rung.hidden === Number(hidden))
          assert.strictEqual(said, timed && factor(timed).toFixed(2), line)
        }
      }
      const error = yield* Effect.flip(choose({ speedUp: 1e6 }))
      const most = Math.max(...WidthTarget.ladder(teacher).map(factor)).toFixed(1)
      assert.include(error.message, `--latency = 1000000x: must be at most about ${most}x`)
    }).pipe(Effect.provide([byParameters, TestClock.layer()]), Effect.runPromise))
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
