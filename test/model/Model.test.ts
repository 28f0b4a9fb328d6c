import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { BertConfig, Model, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { config, randomParameters } from "./tiny.ts"

describe("a model", () => {
  it("counts its numbers, those of masked units left out", () => {
    const parameters = randomParameters(Seed.make(1))
    const whole = Parameters.count(Parameters.bert(config), BertConfig.axes(config))
    assert.strictEqual(Model.size({ config, parameters }), whole)
    const bias = "cls.predictions.bias"
    const masked = { ...parameters, [bias]: Tensor.host(new Float32Array(20)) }
    const keptHidden = Tensor.host(new Float32Array(8).fill(1))
    assert.strictEqual(Model.size({ config, parameters: masked, keptHidden }), whole - 20)
  })

  it("counts zeros of matrices out where single weights were zeroed, and only there", () => {
    const parameters = randomParameters(Seed.make(1))
    const whole = Parameters.count(Parameters.bert(config), BertConfig.axes(config))
    const name = "cls.predictions.transform.dense.weight"
    const data = new Float32Array(64)
    data[5] = 1
    const sparse = {
      ...parameters,
      [name]: Tensor.host(data, [8, 8]),
      "cls.predictions.bias": Tensor.host(new Float32Array(20))
    }
    assert.strictEqual(Model.size({ config, parameters: sparse, sparse: true }), whole - 63)
    assert.strictEqual(Model.size({ config, parameters: sparse }), whole)
  })

  it("gives compiled texts what its signature says", () => {
    const parameters = randomParameters(Seed.make(1))
    for (const model of [
      { config, parameters },
      { config, parameters, keptHidden: Tensor.host(new Float32Array(8)) }
    ]) {
      const [given, signature] = [Model.inputs(model), Model.signature(model)]
      assert.deepStrictEqual(Object.keys(given.parameters).toSorted(), Object.keys(signature.parameters).toSorted())
      for (const [name, { shape }] of Object.entries(given.parameters))
        assert.deepStrictEqual(signature.parameters[name]?.shape, shape)
      assert.deepStrictEqual(Object.keys(given.kept), Object.keys(signature.kept))
    }
  })
})
