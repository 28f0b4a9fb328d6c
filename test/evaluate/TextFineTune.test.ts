import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { NotFinite, TextFineTune, TextScores } from "../../src/evaluate/index.ts"
import { ConfigError, Seed } from "../../src/spec/index.ts"
import { config, model, pooler, prunedBothWays, run } from "./tiny.ts"
import { encodedToy } from "./texts.ts"

const options = {
  rows: 8,
  epochs: 8,
  learningRate: 0.02,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  bucket: 2,
  pooling: "mean"
} as const
const seed = Seed.make(0)
const score = { kind: "score" } as const

describe("TextFineTune", () => {
  it("learns classes of texts of several lengths, keeps the best evaluation, and leaves the model as it was", () =>
    run(
      Effect.gen(function* () {
        const given = model(0)
        const before = structuredClone(given)
        const encoded = encodedToy({ train: 80, dev: [40, 20] })
        const tuning = TextFineTune.make(encoded, options)
        const events: Array<TextFineTune.TextFineTuneEvent> = []
        const found = yield* TextFineTune.run(tuning, given, seed, (event) => Effect.sync(() => events.push(event)))
        assert.deepStrictEqual(given, before)
        assert.isAbove(found.best.score, 0.8)
        assert.strictEqual(found.best.score, Math.max(...found.evaluations.map((each) => each.score)))
        assert.lengthOf(found.evaluations, 8)
        assert.deepStrictEqual(
          found.best.splits.map(({ split }) => split),
          ["dev_0", "dev_1"]
        )
        assert.deepStrictEqual([found.steps, found.early], [80, false])
        // the parameters given are those of the best evaluation
        assert.deepStrictEqual(
          yield* TextScores.of(encoded, config, found.parameters, tuning.options),
          found.best.splits
        )
        const tags = events.map(({ _tag }) => _tag)
        assert.strictEqual(tags.filter((tag) => tag === "Stepped").length, 80)
        assert.deepStrictEqual([tags[0], tags[10], tags[11], tags.at(-1)], ["Started", "Stepped", "Evaluated", "Ended"])
        const best = events.filter((event) => event._tag === "Evaluated" && event.best)
        const last = best.at(-1)
        assert.strictEqual(last?._tag === "Evaluated" ? last.evaluation : undefined, found.best)
      })
    ))

  it("learns scores, and predicts them on their own scale", () =>
    run(
      Effect.gen(function* () {
        const metrics = ["pearson", "spearman"] as const
        const encoded = encodedToy({ train: 80, dev: [40], labels: score, metrics, longest: 1 })
        const tuning = TextFineTune.make(encoded, { ...options, epochs: 15, hiddenDropout: 0, attentionDropout: 0 })
        const found = yield* TextFineTune.run(tuning, model(0), seed)
        assert.isAbove(found.best.score, 0.8)
        const again = yield* TextScores.of(encoded, config, found.parameters, tuning.options)
        assert.closeTo(TextScores.mean(again), found.best.score, 1e-6)
        const bias = found.parameters["classifier.bias"]?.data[0] ?? Number.NaN
        const { labels } = encoded.train
        assert.isTrue(bias > Math.min(...labels) - 2 && bias < Math.max(...labels) + 2)
      })
    ))

  it("gives the same numbers for the same seed, and another path for another", () =>
    run(
      Effect.gen(function* () {
        const tuning = TextFineTune.make(encodedToy(), { ...options, epochs: 1, pooling: "pooler", examples: 30 })
        const one = yield* TextFineTune.run(tuning, model(0), seed)
        assert.strictEqual(one.steps, 4)
        assert.deepStrictEqual(yield* TextFineTune.run(tuning, model(0), seed), one)
        const other = yield* TextFineTune.run(tuning, model(0), Seed.make(1))
        assert.notDeepEqual(other.parameters["classifier.weight"], one.parameters["classifier.weight"])
        assert.property(one.parameters, "bert.pooler.dense.weight")
      })
    ))

  it("learns on from the model's own pooler, and leaves the model's as it was", () =>
    run(
      Effect.gen(function* () {
        const given = { ...model(0), pooler: pooler(0) }
        const before = structuredClone(given)
        const tuned = (learningRate: number) =>
          Effect.gen(function* () {
            const tuning = TextFineTune.make(encodedToy(), { ...options, epochs: 1, pooling: "pooler", learningRate })
            return (yield* TextFineTune.run(tuning, given, seed)).parameters["bert.pooler.dense.weight"]
          })
        assert.notDeepEqual(yield* tuned(0.02), given.pooler.weight)
        assert.deepStrictEqual(given, before)
        // a step so small that float32 does not see it
        assert.deepStrictEqual(yield* tuned(1e-30), given.pooler.weight)
      })
    ))

  it("does not see padding", () =>
    run(
      Effect.gen(function* () {
        const losses = (bucket: number) =>
          Effect.gen(function* () {
            const seen: Array<number> = []
            // texts of one length meet alike in rows of any; dropout is by place
            const tuning = TextFineTune.make(encodedToy({ longest: 1 }), {
              ...options,
              epochs: 1,
              bucket,
              hiddenDropout: 0,
              attentionDropout: 0
            })
            yield* TextFineTune.run(tuning, model(0), seed, (event) =>
              Effect.sync(() => void (event._tag === "Stepped" && seen.push(event.loss)))
            )
            return seen
          })
        const short = yield* losses(3)
        const long = yield* losses(6)
        assert.lengthOf(short, 5)
        short.forEach((loss, i) => assert.closeTo(long[i] ?? Number.NaN, loss, 1e-4))
      })
    ))

  it("ends early when patience is over, with the best so far", () =>
    run(
      Effect.gen(function* () {
        const encoded = encodedToy()
        const still = TextFineTune.make(encoded, { ...options, learningRate: 1e-12, patience: 2, evaluations: 5 })
        const found = yield* TextFineTune.run(still, model(0), seed)
        assert.deepStrictEqual([found.best.step, found.steps, found.early], [1, 3, true])
        assert.lengthOf(found.evaluations, 3)
        const patient = TextFineTune.make(encoded, { ...options, epochs: 0.5, learningRate: 1e-12, patience: 2 })
        assert.deepInclude(yield* TextFineTune.run(patient, model(0), seed), { steps: 3, early: false })
      })
    ))

  it("trains a masked model as the cut one, and leaves the zeros of a sparse one", () =>
    run(
      Effect.gen(function* () {
        const tuning = TextFineTune.make(encodedToy(), { ...options, epochs: 1 })
        const { cut, masked } = prunedBothWays(model(2))
        assert.deepStrictEqual(
          (yield* TextFineTune.run(tuning, masked, seed)).best,
          (yield* TextFineTune.run(tuning, cut, seed)).best
        )
        const name = "bert.encoder.layer.0.intermediate.dense.weight"
        const { parameters } = model(0)
        const dense = parameters[name]
        if (dense === undefined) return assert.fail(name)
        const zeroed = { ...dense, data: dense.data.map((weight, i) => (i % 2 === 0 ? 0 : weight)) }
        const sparse = { config, parameters: { ...parameters, [name]: zeroed }, sparse: true as const }
        const found = yield* TextFineTune.run(tuning, sparse, seed)
        const after = found.parameters[name]?.data ?? new Float32Array()
        assert.lengthOf(after, zeroed.data.length)
        after.forEach((weight, i) => assert.strictEqual(weight === 0, i % 2 === 0))
        assert.deepStrictEqual(
          yield* TextScores.of(encodedToy(), config, found.parameters, tuning.options),
          found.best.splits
        )
      })
    ))

  it("names at once what keeps a model from a task, and every wrong option", () =>
    run(
      Effect.gen(function* () {
        const tuning = TextFineTune.make(encodedToy({ pair: true }, 8), options)
        const small = { ...model(0), config: { ...config, types: 1, vocabSize: 19 } }
        const error = yield* Effect.flip(TextFineTune.run(tuning, small, seed))
        assert.instanceOf(error, ConfigError)
        assert.match(
          error.message,
          /^longest = 8: must be at most 6, the positions of the model; encode the task in shorter rows$/m
        )
        assert.match(error.message, /^vocabulary = 20: must be the 19 pieces of the model; /m)
        assert.match(error.message, /^segment types = 1: must be at least 2 for pairs/m)
        assert.throws(
          () => TextFineTune.make(encodedToy(), { rows: 0, patience: 0, epochs: -1 }),
          /rows = 0[^]*patience|patience[^]*rows = 0/
        )
      })
    ))

  it("fails, and leaves nothing behind, where the loss is no number", () =>
    run(
      Effect.gen(function* () {
        const wild = TextFineTune.make(encodedToy(), { ...options, learningRate: 1e30, warmup: 0 })
        assert.instanceOf(yield* Effect.flip(TextFineTune.run(wild, model(0), seed)), NotFinite)
      })
    ))
})
