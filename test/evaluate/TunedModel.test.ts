import { assert, describe, it } from "@effect/vitest"
import { evaluate, Tensor, type tf } from "homodistil/backend"
import { TunedModel } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { config, model, pooler } from "./tiny.ts"

describe("TunedModel", () => {
  it("starts from the encoder as it is, without the masked-language-model head, and a small random head", () => {
    const given = model(0)
    const params = TunedModel.start(given, 3, Seed.make(1))
    const names = Object.keys(given.parameters).filter((name) => name.startsWith("bert."))
    assert.deepStrictEqual(Object.keys(params).sort(), [...names, "classifier.bias", "classifier.weight"].sort())
    for (const name of names) assert.strictEqual(params[name], given.parameters[name])
    assert.deepStrictEqual(params["classifier.weight"]?.shape, [3, config.hidden])
    assert.deepStrictEqual(TunedModel.signature(params)["classifier.bias"]?.shape, [3])
    assert.deepStrictEqual(TunedModel.start(given, 3, Seed.make(1)), params)
    assert.notDeepEqual(TunedModel.start(given, 3, Seed.make(2))["classifier.weight"], params["classifier.weight"])
  })

  it("starts from the model's own pooler, or draws one where it has none", () => {
    const [weight, bias] = ["bert.pooler.dense.weight", "bert.pooler.dense.bias"]
    const [plain, own] = [model(0), pooler(1)]
    const [drawn, given] = [plain, { ...plain, pooler: own }].map((each) =>
      TunedModel.startPooled(each, 3, Seed.make(1))
    )
    assert.deepStrictEqual([given?.[weight], given?.[bias]], [own.weight, own.bias])
    assert.deepStrictEqual(drawn?.[weight]?.shape, [config.hidden, config.hidden])
    assert.isBelow(Math.max(...(drawn?.[weight]?.data ?? [1]).map(Math.abs)), 0.1)
    assert.deepStrictEqual([...(drawn?.[bias]?.data ?? [])], Array(config.hidden).fill(0))
    // all else is the same
    const rest = ({ [weight]: _w, [bias]: _b, ...others }: TunedModel.TunedParameters) => others
    assert.deepStrictEqual(rest(given ?? {}), rest(drawn ?? {}))
    assert.deepStrictEqual(rest(given ?? {}), TunedModel.start({ ...plain, pooler: own }, 3, Seed.make(1)))
  })

  it("pools by a dense layer and tanh, as a plain loop does", async () => {
    const { weight, bias } = pooler(2)
    const states = Tensor.host(Seed.normals(Seed.make(3), 2 * config.hidden), [2, config.hidden])
    const { data } = await evaluate(
      (...[w, b, x]: ReadonlyArray<tf.Tensor>) => {
        if (w === undefined || b === undefined || x === undefined) throw new RangeError("three tensors")
        return TunedModel.pooler({ "bert.pooler.dense.weight": w, "bert.pooler.dense.bias": b }, x)
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
})
