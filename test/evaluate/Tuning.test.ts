import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { evaluate, Tensor, tf } from "homodistil/backend"
import { adamW, TrainStep } from "homodistil/optimizer"
import { Tuning } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { config, model, pooler, run } from "./tiny.ts"

// `run` is tested by what is made of it: FineTune and SpanFineTune
describe("Tuning", () => {
  it("starts from the encoder as it is, without the masked-language-model head, and a small random head", () => {
    const given = model(0)
    const params = Tuning.start(given, 3, Seed.make(1))
    const names = Object.keys(given.parameters).filter((name) => name.startsWith("bert."))
    assert.deepStrictEqual(Object.keys(params).sort(), [...names, "classifier.bias", "classifier.weight"].sort())
    for (const name of names) assert.strictEqual(params[name], given.parameters[name])
    assert.deepStrictEqual(params["classifier.weight"]?.shape, [3, config.hidden])
    assert.deepStrictEqual(Tuning.signature(params)["classifier.bias"]?.shape, [3])
    assert.deepStrictEqual(Tuning.start(given, 3, Seed.make(1)), params)
    assert.notDeepEqual(Tuning.start(given, 3, Seed.make(2))["classifier.weight"], params["classifier.weight"])
  })

  it("starts from the model's own pooler, or draws one where it has none", () => {
    const [weight, bias] = ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]
    const [plain, own] = [model(0), pooler(1)]
    const [drawn, given] = [plain, { ...plain, pooler: own }].map((each) => Tuning.startPooled(each, 3, Seed.make(1)))
    assert.deepStrictEqual([given?.[weight], given?.[bias]], [own.weight, own.bias])
    assert.deepStrictEqual(drawn?.[weight]?.shape, [config.hidden, config.hidden])
    assert.isBelow(Math.max(...(drawn?.[weight]?.data ?? [1]).map(Math.abs)), 0.1)
    assert.deepStrictEqual([...(drawn?.[bias]?.data ?? [])], Array(config.hidden).fill(0))
    // all else is the same
    const rest = ({ [weight]: _w, [bias]: _b, ...others }: Tuning.TunedParameters) => others
    assert.deepStrictEqual(rest(given ?? {}), rest(drawn ?? {}))
    assert.deepStrictEqual(rest(given ?? {}), Tuning.start({ ...plain, pooler: own }, 3, Seed.make(1)))
  })

  it("pools by a dense layer and tanh, as a plain loop does", async () => {
    const { weight, bias } = pooler(2)
    const states = Tensor.host(Seed.normals(Seed.make(3), 2 * config.hidden), [2, config.hidden])
    const { data } = await evaluate(
      (...[w, b, x]: ReadonlyArray<tf.Tensor>) => {
        if (w === undefined || b === undefined || x === undefined) throw new RangeError("three tensors")
        return Tuning.pooler({ "bert.pooler.dense.weight": w, "bert.pooler.dense.bias": b }, x)
      },
      weight,
      bias,
      states
    )
    for (let row = 0; row < 2; row++)
      for (let out = 0; out < config.hidden; out++) {
        let sum = bias.data[out] ?? Number.NaN
        for (let i = 0; i < config.hidden; i++)
          sum +=
            (weight.data[out * config.hidden + i] ?? Number.NaN) * (states.data[row * config.hidden + i] ?? Number.NaN)
        assert.closeTo(data[row * config.hidden + out] ?? Number.NaN, Math.tanh(sum), 1e-6)
      }
  })

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
        const host = Tuning.start(sparse, 2, Seed.make(0))
        const kept = Tuning.kept(sparse)
        assert.deepStrictEqual(Tuning.kept(dense), {})
        const optimizer = adamW()
        const step = yield* TrainStep.compile({
          name: "sparse",
          params: Tuning.signature(host),
          inputs: {},
          optimizer,
          view: Tuning.view(kept),
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
