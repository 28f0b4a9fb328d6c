import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { FineTune, NotFinite } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { model, planted, prunedBothWays, randomRows, rowsOf, run, task, tokensOf } from "./tiny.ts"

const options = { rows: 8, steps: 60, learningRate: 0.02, hiddenDropout: 0.1, attentionDropout: 0.1 }
const sequence = FineTune.make(task("sequence", 2), options)
const token = FineTune.make(task("token", 3), options)
const sequences = (seed: number, count: number, length = 6) =>
  rowsOf(randomRows(seed, count, 4), (row) => Number((row[1] ?? 0) > 12), length)
const tokens = (seed: number, count: number) => tokensOf(randomRows(seed, count), (id) => id % 3)
const seed = Seed.make(0)

describe("FineTune", () => {
  it("learns which pieces a row is made of, and leaves the model as it was", () =>
    run(
      Effect.gen(function* () {
        const given = model(0)
        const before = structuredClone(given)
        const data = { train: sequences(0, 100), test: sequences(1, 50) }
        const found = yield* FineTune.onExamples(sequence, given, data, seed)
        assert.isAbove(found.accuracy, found.majority + 0.2)
        assert.deepStrictEqual(given, before)
      })
    ))

  it("learns a label for each piece", () =>
    run(
      Effect.gen(function* () {
        const data = { train: tokens(0, 100), test: tokens(1, 33) }
        const found = yield* FineTune.onExamples(token, planted(0), data, seed)
        assert.isBelow(found.majority, 0.6)
        assert.isAbove(found.accuracy, 0.9)
      })
    ))

  it("gives the same number for the same seed, and another path for another", () =>
    run(
      Effect.gen(function* () {
        const short = FineTune.make(sequence.task, { ...options, steps: 10 })
        const data = { train: sequences(0, 40), test: sequences(1, 20) }
        const one = yield* FineTune.onExamples(short, model(0), data, seed)
        assert.deepStrictEqual(yield* FineTune.onExamples(short, model(0), data, seed), one)
        assert.notStrictEqual((yield* FineTune.onExamples(short, model(0), data, Seed.make(1))).loss, one.loss)
      })
    ))

  it("does not see padding", () =>
    run(
      Effect.gen(function* () {
        // without dropout, whose draws are by place
        for (const pooling of ["mean", "cls"] as const) {
          const plain = FineTune.make(sequence.task, {
            ...options,
            steps: 10,
            hiddenDropout: 0,
            attentionDropout: 0,
            pooling
          })
          const at = (length: number) => ({ train: sequences(0, 40, length), test: sequences(1, 20, length) })
          const short = yield* FineTune.onExamples(plain, model(0), at(4), seed)
          const long = yield* FineTune.onExamples(plain, model(0), at(6), seed)
          assert.closeTo(long.loss, short.loss, 1e-4)
          assert.closeTo(long.accuracy, short.accuracy, 1e-9)
        }
      })
    ))

  it("trains a masked model as the cut one", () =>
    run(
      Effect.gen(function* () {
        const short = FineTune.make(token.task, { ...options, steps: 10 })
        const { cut, masked } = prunedBothWays(model(2))
        const data = { train: tokens(0, 40), test: tokens(1, 20) }
        assert.deepStrictEqual(
          yield* FineTune.onExamples(short, masked, data, seed),
          yield* FineTune.onExamples(short, cut, data, seed)
        )
      })
    ))

  it("fails, and leaves nothing behind, where the loss is no number", () =>
    run(
      Effect.gen(function* () {
        const wild = FineTune.make(sequence.task, { ...options, learningRate: 1e30, warmup: 0 })
        const data = { train: sequences(0, 40), test: sequences(1, 20) }
        const error = yield* Effect.flip(FineTune.onExamples(wild, model(0), data, seed))
        assert.instanceOf(error, NotFinite)
      })
    ))
})
