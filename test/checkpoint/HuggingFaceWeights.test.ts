import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { evaluate, Tensor, type tf } from "../../src/backend/index.ts"
import * as HuggingFaceWeights from "../../src/checkpoint/HuggingFaceWeights.ts"
import { Bert, type ParameterValues } from "../../src/model/index.ts"
import { bitsOf, small, uneven, weights } from "./samples.ts"

const { fromTensors } = HuggingFaceWeights
const words = "bert.embeddings.word_embeddings.weight"
const parameters = weights(small)

const problems = (tensors: ParameterValues) =>
  Result.getOrThrow(Result.flip(fromTensors(tensors, small))).map(({ tensor, reason }) => `${tensor} ${reason}`)

const renamed = (tensors: ParameterValues, rename: (name: string) => string): ParameterValues =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]))

const without = (name: string): ParameterValues =>
  Object.fromEntries(Object.entries(parameters).filter(([each]) => each !== name))

describe("fromTensors", () => {
  const accepted = (tensors: ParameterValues): void =>
    assert.deepStrictEqual(bitsOf(Result.getOrThrow(fromTensors(tensors, small))), bitsOf(parameters))

  it("takes the parameters as they are, sorted", () => {
    accepted(parameters)
    accepted(Object.fromEntries(Object.entries(parameters).toReversed()))
  })

  it("takes the old names of layer normalisation", () => {
    const old = renamed(parameters, (name) =>
      name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    )
    assert.isTrue(Object.hasOwn(old, "bert.embeddings.LayerNorm.gamma"))
    accepted(old)
  })

  it("drops copies of tied parameters, and takes a copy where the original is missing", () => {
    const copy = { "cls.predictions.decoder.weight": parameters[words] ?? Tensor.host([]) }
    const bias = { "cls.predictions.decoder.bias": parameters["cls.predictions.bias"] ?? Tensor.host([]) }
    accepted({ ...parameters, ...copy, ...bias })
    accepted({ ...without("cls.predictions.bias"), ...bias })
    accepted({ ...without(words), ...copy })
  })

  it("refuses a decoder that is not tied", () => {
    const data = Float32Array.from(parameters[words]?.data ?? [])
    data[3] = (data[3] ?? 0) + 1e-7
    assert.deepStrictEqual(
      problems({ ...parameters, "cls.predictions.decoder.weight": { ...Tensor.host(data, [11, 4]) } }),
      [`cls.predictions.decoder.weight differs from ${words}, which it is tied to`]
    )
  })

  it("names everything that is missing, extra, misshapen or double", () => {
    const query = "bert.encoder.layer.1.attention.self.query.weight"
    const wrong = {
      ...without("cls.predictions.bias"),
      [query]: Tensor.host(new Float32Array(8), [4, 2]),
      "bert.embeddings.LayerNorm.bias": Tensor.host(new Int32Array(4), [4], "int32"),
      "bert.embeddings.LayerNorm.gamma": Tensor.host([1, 1, 1, 1]),
      "classifier.weight": Tensor.host([1])
    }
    assert.deepStrictEqual(problems(wrong).sort(), [
      "bert.embeddings.LayerNorm.bias holds integers, not float32",
      "bert.embeddings.LayerNorm.gamma is there twice, also as bert.embeddings.LayerNorm.weight",
      `${query} has shape [4, 2], but config.json makes it [4, 4]`,
      "classifier.weight is no parameter of this model",
      "cls.predictions.bias is missing"
    ])
  })
})

describe("isUnused", () => {
  it("knows what masked language modelling does without", () => {
    const names = ["bert.pooler.dense.weight", "cls.seq_relationship.bias", "bert.embeddings.position_ids", words]
    assert.deepStrictEqual(names.map(HuggingFaceWeights.isUnused), [true, true, true, false])
  })
})

describe("withUsualScale", () => {
  it("is the same function", async () => {
    const student = { config: uneven, parameters: weights(uneven) }
    const usual = HuggingFaceWeights.withUsualScale(student)
    assert.notStrictEqual(usual.config.scale, uneven.scale)
    const states = ({ config, parameters: values }: HuggingFaceWeights.Weights) => {
      const names = Object.keys(values)
      const text = (...[ids, ...tensors]: ReadonlyArray<tf.Tensor>) => {
        if (ids === undefined) throw new RangeError("no ids")
        const named = Object.fromEntries(tensors.map((tensor, i) => [names[i] ?? "", tensor]))
        return Bert.last(Bert.encode(named, config, { rows: 1, length: 6, ids }))
      }
      return evaluate(text, Tensor.host([1, 2, 3, 3, 2, 10], [6], "int32"), ...Object.values(values))
    }
    const [before, after] = [await states(student), await states(usual)]
    for (const [i, x] of before.data.entries()) assert.approximately(after.data[i] ?? NaN, x, 1e-5)
  })
})
