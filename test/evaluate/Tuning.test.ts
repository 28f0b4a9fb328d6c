import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { tf } from "homodistil/backend"
import { adamW, TrainStep } from "homodistil/optimizer"
import { TunedModel, Tuning } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { model, run } from "./tiny.ts"

// `run` is tested by what is made of it: FineTune and SpanFineTune
describe("Tuning", () => {
  it("leaves the zeros of a sparse model's matrices at zero, and trains what is left", () =>
    run(
      Effect.gen(function* () {
        const dense = model(0)
        const parameters = Object.fromEntries(
          Object.entries(dense.parameters).map(([name, value]) => [
            name,
            value.shape.length > 1 ? { ...value, data: value.data.map((w, i) => (i % 3 === 0 ? 0 : w)) } : value
          ])
        )
        const sparse = { ...dense, parameters, sparse: true as const }
        const host = TunedModel.start(sparse, 2, Seed.make(0))
        const kept = TunedModel.kept(sparse)
        assert.deepStrictEqual(TunedModel.kept(dense), {})
        const optimizer = adamW()
        const step = yield* TrainStep.compile({
          name: "sparse",
          params: TunedModel.signature(host),
          inputs: {},
          optimizer,
          view: TunedModel.view(kept),
          loss: (params) => ({
            total: Object.values(params).reduce<tf.Tensor>(
              (sum, param) => tf.add(sum, tf.sum(tf.square(tf.sub(param, 1)))),
              tf.scalar(0)
            ),
            terms: {}
          })
        })
        const { params } = yield* Tuning.run(() => Effect.succeed(step), {
          name: "sparse",
          params: host,
          kept,
          optimizer,
          steps: 3,
          learningRate: 0.1,
          warmup: 0,
          inputsAt: () => Effect.succeed({})
        })
        for (const [name, { data }] of Object.entries(params)) {
          const before = host[name]
          const wasZero = (i: number): boolean => kept[name] !== undefined && before?.data[i] === 0
          data.forEach((w, i) => assert.strictEqual(w === 0 && wasZero(i), wasZero(i), `${name} ${i}`))
          assert.notDeepEqual(data, before?.data)
        }
      }).pipe(Effect.scoped)
    ))

  it("shows every example once in each pass", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 9 }), fc.nat(9), (count, rows, seed) => {
        const order = Tuning.exampleOrder(count, rows, Seed.make(seed))
        const shown = Array.from({ length: count }, (_, step) => order(step)).flat()
        for (let pass = 0; pass < rows; pass++)
          assert.deepStrictEqual(
            shown.slice(pass * count, (pass + 1) * count).sort((a, b) => a - b),
            Array.from({ length: count }, (_, i) => i)
          )
        assert.deepStrictEqual(order(0), shown.slice(0, rows))
      })
    )
  })
})
