import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { SpanExamples } from "../../src/data/index.ts"
import { NotFinite, SpanFineTune } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { spansOf, spanTask } from "./spans.ts"
import { model, prunedBothWays, randomRows, run } from "./tiny.ts"

const options = { rows: 8, steps: 200, learningRate: 0.02, longest: 3, hiddenDropout: 0 }
const tuning = SpanFineTune.make(spanTask(), options)
const short = SpanFineTune.make(spanTask(), { ...options, steps: 8 })
const data = { train: spansOf(randomRows(0, 160)), test: spansOf(randomRows(1, 50)) }
const seed = Seed.make(0)

describe("SpanFineTune", () => {
  it("learns where the answer is, far better than its most frequent place, and leaves the model as it was", () =>
    run(
      Effect.gen(function* () {
        const given = model(0)
        const before = structuredClone(given)
        const found = yield* SpanFineTune.onExamples(tuning, given, data, seed)
        assert.isAbove(found.exact, found.chance.exact + 0.2)
        assert.isAtLeast(found.f1, found.exact)
        assert.deepStrictEqual(given, before)
      })
    ))

  it("gives the same numbers for the same seed, another path for another, and the cut model's for a masked one", () =>
    run(
      Effect.gen(function* () {
        const one = yield* SpanFineTune.onExamples(short, model(0), data, seed)
        assert.deepStrictEqual(yield* SpanFineTune.onExamples(short, model(0), data, seed), one)
        assert.notStrictEqual((yield* SpanFineTune.onExamples(short, model(0), data, Seed.make(1))).loss, one.loss)
        const { cut, masked } = prunedBothWays(model(2))
        assert.deepStrictEqual(
          yield* SpanFineTune.onExamples(short, masked, data, seed),
          yield* SpanFineTune.onExamples(short, cut, data, seed)
        )
      })
    ))

  it("answers a question by the best of its rows, and learns to give none where there is none", () =>
    run(
      Effect.gen(function* () {
        // rows whose highest piece is low have no answer
        const silence = (examples: SpanExamples): SpanExamples => {
          const none = examples.answers.map(([answer]) => Number(answer) < 16)
          const pointed = (columns: Int32Array) => columns.map((column, row) => (none[row] === true ? 0 : column))
          return {
            ...examples,
            answers: examples.answers.map((answers, row) => (none[row] === true ? [] : answers)),
            starts: pointed(examples.starts),
            ends: pointed(examples.ends),
            allowed: examples.allowed.map((x, i) => (i % examples.length === 0 ? 1 : x))
          }
        }
        const both = { train: silence(data.train), test: silence(data.test) }
        const share = both.test.answers.filter((answers) => answers.length === 0).length / both.test.answers.length
        assert.isTrue(share > 0.1 && share < 0.9)
        const found = yield* SpanFineTune.onExamples(SpanFineTune.make(spanTask(true), options), model(0), both, seed)
        assert.isAbove(found.exact, Math.max(share, 1 - share))
        // a task that knows of no silence answers always: all those questions are lost
        const bold = yield* SpanFineTune.onExamples(tuning, model(0), both, seed)
        assert.isAtMost(bold.exact, 1 - share)
        // two rows of a question count as one
        const pairs = {
          ...data.test,
          questions: data.test.questions.map((n) => n >> 1),
          answers: data.test.answers.filter((_, n) => n % 2 === 0)
        }
        const paired = yield* SpanFineTune.onExamples(short, model(0), { ...data, test: pairs }, seed)
        assert.strictEqual((paired.exact * 25) % 1, 0)
      })
    ))

  it("has chance by a plain count of places", () => {
    const places = [...data.train.starts].map(String)
    const most = Number(
      [...new Set(places)].reduce((a, b) =>
        places.filter((p) => p === b).length > places.filter((p) => p === a).length ? b : a
      )
    )
    const right = data.test.answers.filter(([answer], row) => {
      const words = (data.test.contexts[row] ?? "").trim().split(" ")
      return words[Math.min(most, words.length) - 1] === answer
    })
    assert.closeTo(SpanFineTune.position(data).exact, right.length / data.test.count, 1e-12)
  })

  it("fails, and leaves nothing behind, where the loss is no number", () =>
    run(
      Effect.gen(function* () {
        const wild = SpanFineTune.make(spanTask(), { ...options, learningRate: 1e30, warmup: 0 })
        assert.instanceOf(yield* Effect.flip(SpanFineTune.onExamples(wild, model(0), data, seed)), NotFinite)
      })
    ))

  it("refuses every impossible option at once", () => {
    assert.throws(
      () => SpanFineTune.make(spanTask(), { steps: 0, longest: -1 }),
      /longest = -1[^]*steps = 0|steps = 0[^]*longest = -1/
    )
  })
})
