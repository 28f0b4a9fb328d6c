import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { Tensor } from "homodistil/backend"
import { BertConfig, Head, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { config, randomParameters } from "./tiny.ts"

const bare = { ...config, head: "none" } as const
const model = { config: bare, parameters: randomParameters(Seed.make(0), bare) }

describe("problem", () => {
  it("names what needs the head, the setting, and what to do", () => {
    const error = Result.getOrThrow(Result.flip(Head.check(bare, "the loss kl", "--teacher", "folder")))
    assert.strictEqual(
      error.message,
      "--teacher = folder: must be a model with a masked-language-model head, which the loss kl needs; train a head on text first " +
        "with homodistil adapt, or use losses of features only"
    )
    assert.isUndefined(Head.problem(config, "the loss kl"))
    assert.deepStrictEqual(Head.check(config, "x"), Result.succeed(config))
  })
})

describe("remove", () => {
  it("leaves the encoder alone, a decoder of its own included, and what add gave is gone again", () => {
    assert.deepStrictEqual(Head.remove(Head.add(model, Seed.make(1))), model)
    const untied = { ...config, decoder: "untied" as const }
    const made = Head.remove({ config: untied, parameters: randomParameters(Seed.make(2), untied) })
    assert.deepStrictEqual(made.config, bare)
    assert.deepStrictEqual(
      Object.keys(made.parameters),
      Parameters.bert(bare).map(({ name }) => name)
    )
    assert.strictEqual(Head.remove(model), model)
  })
})

describe("add", () => {
  it("gives a bare encoder the head of a model that starts, and touches nothing else", () => {
    const made = Head.add(model, Seed.make(1))
    assert.deepStrictEqual(made.config, config)
    const fresh = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(1))
    assert.deepStrictEqual(
      Object.keys(made.parameters),
      Parameters.bert(config).map(({ name }) => name)
    )
    for (const [name, tensor] of Object.entries(made.parameters))
      assert.deepStrictEqual(tensor, model.parameters[name] ?? fresh[name], name)
  })

  it("leaves a pooler beside the encoder that it reads", () => {
    const pooler = { weight: Tensor.host(new Float32Array(64), [8, 8]), bias: Tensor.host(new Float32Array(8)) }
    assert.strictEqual(Head.add({ ...model, pooler }, Seed.make(1)).pooler, pooler)
  })

  it("leaves a model that has a head as it is", () => {
    const whole = { config, parameters: randomParameters(Seed.make(2)) }
    assert.strictEqual(Head.add(whole, Seed.make(1)), whole)
  })
})
