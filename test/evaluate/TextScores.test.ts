import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, transfer } from "../../src/backend/index.ts"
import { LabelMetric, TextScores, TunedModel } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { config, model, run } from "./tiny.ts"
import { encodedToy } from "./texts.ts"

const outputsOf = (kind: "classes" | "score") => (kind === "score" ? 1 : 3)

/** The predictions of a random head. */
const predict = (kind: "classes" | "score", pair: boolean, reading: TextScores.TextReading) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const labels = kind === "score" ? { kind } : { kind, classes: ["a", "b", "c"] }
      const encoded = encodedToy({ pair, labels, dev: [13] })
      const start = TunedModel.startPooled(model(3), outputsOf(kind), Seed.make(1))
      // a head with more to say than a fresh one
      const params = TunedModel.scaledHead(start, { spread: 100, centre: 0 })
      const predictor = yield* TextScores.predictor({ encoded, config, reading, params: TunedModel.signature(params) })
      const live = yield* transfer.upload(backend, params)
      yield* Effect.addFinalizer(() => transfer.release(backend, live))
      const [dev] = encoded.dev
      return dev === undefined ? new Float64Array() : yield* predictor(live, dev)
    })
  )

describe("TextScores", () => {
  it("predicts the same of a text whatever it is batched with, in its place", () =>
    run(
      Effect.gen(function* () {
        let most = 0
        for (const kind of ["classes", "score"] as const)
          for (const pair of [false, true])
            for (const pooling of ["mean", "cls", "pooler"] as const) {
              const alone = yield* predict(kind, pair, { rows: 1, bucket: 1, pooling })
              const different = new Set(alone).size
              if (kind === "score") assert.isAbove(different, 1)
              most = Math.max(most, kind === "classes" ? different : 0)
              for (const [rows, bucket] of [
                [4, 2],
                [5, 6],
                [20, 1]
              ] as const) {
                const together = yield* predict(kind, pair, { rows, bucket, pooling })
                together.forEach((value, i) => assert.closeTo(value, alone[i] ?? Number.NaN, 1e-4))
              }
            }
        assert.isAbove(most, 1)
      })
    ))

  it("means over metrics and splits alike", () => {
    const values = fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 }), {
      minLength: 1,
      maxLength: 3
    })
    fc.assert(
      fc.property(values, (splits) => {
        const given = splits.map(([f1 = 0, accuracy = 0], i) => ({ split: `${i}`, metrics: { f1, accuracy } }))
        const all = splits.flat()
        assert.closeTo(TextScores.mean(given), all.reduce((a, b) => a + b, 0) / all.length, 1e-12)
      })
    )
  })

  it("measures what the task names, and makes each length once", () =>
    run(
      Effect.gen(function* () {
        const encoded = encodedToy({ metrics: ["f1", "matthews"] })
        const [dev] = encoded.dev
        if (dev === undefined) return assert.fail("no split")
        const predicted = dev.labels.map((label, i) => (i % 3 === 0 ? 1 - label : label))
        const { split, metrics } = TextScores.scoresOf(encoded, dev, predicted)
        assert.strictEqual(split, "dev")
        assert.deepStrictEqual(metrics, {
          f1: LabelMetric.f1(predicted, dev.labels),
          matthews: LabelMetric.matthews(predicted, dev.labels)
        })
        const made: Array<number> = []
        const of = TextScores.byLength((length) => Effect.sync(() => made.push(length)))
        assert.deepStrictEqual([yield* of(4), yield* of(8), yield* of(4)], [1, 2, 1])
        assert.deepStrictEqual(made, [4, 8])
      })
    ))
})
