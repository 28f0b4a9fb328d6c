import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { evaluate, Tensor, type tf } from "../../src/backend/index.ts"
import * as HuggingFaceWeights from "../../src/checkpoint/HuggingFaceWeights.ts"
import { Bert, type BertConfig, type ParameterValues, Pooler } from "../../src/model/index.ts"
import { bitsOf, poolerOf, small, uneven, weights } from "./samples.ts"

const words = "bert.embeddings.word_embeddings.weight"
const decoder = "cls.predictions.decoder.weight"
const bias = "cls.predictions.bias"
const decoderBias = "cls.predictions.decoder.bias"
const parameters = weights(small)
const untied = { ...small, decoder: "untied" } as const

/** A checkpoint in memory, and the names of the tensors that were read. */
const sourceOf = (tensors: ParameterValues) => {
  const reads: Array<string> = []
  const get = (name: string) => tensors[name] ?? assert.fail(name)
  const source: HuggingFaceWeights.Source<never, never> = {
    file: "model.safetensors",
    entries: tensors,
    read: (name) => Effect.sync(() => (reads.push(name), get(name))),
    holds: (name, tensor) =>
      Effect.succeed(String(bitsOf({ x: get(name) })[0]?.bits) === String(bitsOf({ x: tensor })[0]?.bits))
  }
  return { source, reads }
}

const load = (tensors: ParameterValues, config: BertConfig.BertConfig = small) =>
  Effect.runSync(HuggingFaceWeights.load(config, sourceOf(tensors).source))

const failure = (tensors: ParameterValues, config: BertConfig.BertConfig = small) => {
  const { source, reads } = sourceOf(tensors)
  return { error: Effect.runSync(Effect.flip(HuggingFaceWeights.load(config, source))), reads }
}

const renamed = (tensors: ParameterValues, rename: (name: string) => string): ParameterValues =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]))

const without = (prefix: string, of = parameters): ParameterValues =>
  Object.fromEntries(Object.entries(of).filter(([each]) => !each.startsWith(prefix)))

/** A tensor with one number changed. */
const nudged = (name: string, by: number) => {
  const { shape, data } = parameters[name] ?? assert.fail(name)
  return Tensor.host(
    data.map((x, i) => (i === 3 ? x + by : x)),
    shape
  )
}

describe("load", () => {
  const accepted = (tensors: ParameterValues): void => {
    const loaded = load(tensors)
    assert.deepStrictEqual(loaded.config, small)
    assert.deepStrictEqual(bitsOf(loaded.parameters), bitsOf(parameters))
  }

  it("takes the parameters as they are, sorted", () => {
    accepted(parameters)
    accepted(Object.fromEntries(Object.entries(parameters).toReversed()))
  })

  it("takes the old names of layer normalisation, and names without a prefix", () => {
    const old = renamed(parameters, (name) =>
      name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
    )
    assert.isTrue(Object.hasOwn(old, "bert.embeddings.LayerNorm.gamma"))
    accepted(old)
    accepted(renamed(old, (name) => name.replace(/^bert\./, "")))
  })

  it("drops copies of tied parameters, and takes a copy where the original is missing", () => {
    const copy = { [decoder]: parameters[words] ?? Tensor.host([]) }
    const other = { [decoderBias]: parameters[bias] ?? Tensor.host([]) }
    accepted({ ...parameters, ...copy, ...other })
    accepted({ ...without(bias), ...other })
    accepted({ ...without(words), ...copy })
  })

  it("finds out by the names whether there is a head, whatever config.json says", () => {
    const bare = without("cls.")
    for (const config of [small, untied, { ...small, head: "none" } as const]) {
      const loaded = load(bare, config)
      assert.deepStrictEqual(loaded.config, { ...small, head: "none" })
      assert.deepStrictEqual(bitsOf(loaded.parameters), bitsOf(bare))
    }
    assert.deepStrictEqual(load(parameters, { ...small, head: "none" }).config, small)
  })

  it("takes a decoder of its own with its own bias, in the order of names", () => {
    const own = { ...parameters, [decoder]: nudged(words, 1e-7), [decoderBias]: nudged(bias, 1) }
    const loaded = load(own, untied)
    assert.deepStrictEqual(loaded.config, untied)
    assert.deepStrictEqual(loaded.ignored, [bias])
    assert.deepStrictEqual(loaded.parameters[bias], own[decoderBias])
    assert.deepStrictEqual(loaded.parameters[decoder], own[decoder])
    assert.deepStrictEqual(Object.keys(loaded.parameters), Object.keys(loaded.parameters).toSorted())
    assert.strictEqual(
      load({ ...parameters, [decoder]: nudged(words, 1e-7) }, untied).parameters[bias],
      parameters[bias]
    )
  })

  it("counts a decoder of its own that equals the word embedding as tied", () => {
    assert.deepStrictEqual(load({ ...parameters, [decoder]: nudged(words, 0) }, untied).config, small)
  })

  it("refuses a decoder that differs where config.json ties it, or is missing where not", () => {
    assert.match(
      failure({ ...parameters, [decoder]: nudged(words, 1e-7) }).error.message,
      /^model\.safetensors: cls\.predictions\.decoder\.weight differs from bert\.\S+, which it is tied to; set tie_word_embeddings/
    )
    assert.match(failure(parameters, untied).error.message, /decoder\.weight is missing/)
  })

  it("names everything that is missing, extra, misshapen or double, before it reads a value", () => {
    const query = "bert.encoder.layer.1.attention.self.query.weight"
    const wrong = {
      ...without(bias),
      [query]: Tensor.host(new Float32Array(8), [4, 2]),
      "bert.embeddings.LayerNorm.bias": Tensor.host(new Int32Array(4), [4], "int32"),
      "bert.embeddings.LayerNorm.gamma": Tensor.host([1, 1, 1, 1]),
      "encoder.layer.7.output.dense.bias": Tensor.host([1]),
      __proto__x: Tensor.host([1])
    }
    const { error, reads } = failure(wrong)
    assert.deepStrictEqual(error.problems.map(({ tensor, reason }) => `${tensor} ${reason}`).sort(), [
      "__proto__x is no parameter of this model",
      "bert.embeddings.LayerNorm.bias holds integers, not float32",
      "bert.embeddings.LayerNorm.gamma is there twice, also as bert.embeddings.LayerNorm.weight",
      `${query} has shape [4, 2], but config.json makes it [4, 4]`,
      "cls.predictions.bias is missing",
      "encoder.layer.7.output.dense.bias is no parameter of this model"
    ])
    assert.deepStrictEqual(reads, [])
  })

  it("refuses what is not finite, by tensor and element", () => {
    for (const [by, name] of [
      [NaN, "NaN"],
      [Infinity, "Infinity"]
    ] as const) {
      assert.match(
        failure({ ...parameters, [words]: nudged(words, by) }).error.message,
        new RegExp(`${words} holds ${name} at element 3;`)
      )
      const own = { ...parameters, [decoder]: nudged(words, by) }
      assert.match(failure(own, untied).error.message, new RegExp(`${decoder} holds ${name} at element 3;`))
    }
  })
})

describe("a pooler", () => {
  const own = poolerOf(small)
  const stored = Pooler.parameters(own)
  const bare = (name: string) => name.replace(/^bert\./, "")

  it("is read beside the parameters, with a prefix or without, whatever head there is", () => {
    for (const model of [parameters, without("cls.")]) {
      for (const tensors of [{ ...model, ...stored }, renamed({ ...model, ...stored }, bare)]) {
        const loaded = load(tensors)
        assert.deepStrictEqual(bitsOf(loaded.parameters), bitsOf(model))
        assert.deepStrictEqual(bitsOf(Pooler.parameters(loaded.pooler)), bitsOf(stored))
        assert.deepStrictEqual(loaded.ignored, [])
      }
      assert.isFalse(Object.hasOwn(load(model), "pooler"))
    }
    const apart = { ...parameters, [decoder]: nudged(words, 1e-7), ...stored }
    assert.deepStrictEqual(load(apart, untied).pooler, own)
  })

  it("is refused where it is half, misshapen, no float or there twice, before a value is read", () => {
    const [matrix, vector] = [Pooler.weight, Pooler.bias]
    const of = (tensors: ParameterValues) => {
      const { error, reads } = failure({ ...parameters, ...tensors })
      assert.deepStrictEqual([error._tag, error.file, reads], ["CheckpointError", "model.safetensors", []])
      return error.problems.map(({ tensor, reason }) => `${tensor} ${reason}`)
    }
    assert.deepStrictEqual(of({ [matrix]: own.weight }), [`${vector} is missing, but ${matrix} is there`])
    assert.deepStrictEqual(of({ "pooler.dense.bias": own.bias }), [
      `${matrix} is missing, but pooler.dense.bias is there`
    ])
    assert.deepStrictEqual(of({ ...stored, [matrix]: Tensor.host(own.weight.data, [2, 8]) }), [
      `${matrix} has shape [2, 8], but config.json makes it [4, 4]`
    ])
    assert.deepStrictEqual(of({ [bare(matrix)]: own.weight, [bare(vector)]: Tensor.host([1, 2, 3]) }), [
      `${bare(vector)} has shape [3], but config.json makes it [4]`
    ])
    assert.deepStrictEqual(of({ ...stored, [vector]: Tensor.host(new Int32Array(4), [4], "int32") }), [
      `${vector} holds integers, not float32`
    ])
    assert.deepStrictEqual(of({ ...stored, [bare(vector)]: own.bias }), [
      `${bare(vector)} is there twice, also as ${vector}`
    ])
  })

  it("is refused where a number of it is not finite", () => {
    const bad = Tensor.host([0, 1, NaN, 3])
    assert.match(
      failure({ ...parameters, ...stored, [Pooler.bias]: bad }).error.message,
      /^model\.safetensors: bert\.pooler\.dense\.bias holds NaN at element 2; give a model whose training went well/
    )
  })

  it("of another width is none of a cut model", () => {
    const student = { config: uneven, parameters: weights(uneven) }
    assert.deepStrictEqual(HuggingFaceWeights.misfits({ ...student, pooler: poolerOf(uneven) }), [])
    assert.deepStrictEqual(HuggingFaceWeights.misfits({ ...student, pooler: own }), [
      { tensor: Pooler.bias, reason: "has shape [4], but config.json makes it [3]" },
      { tensor: Pooler.weight, reason: "has shape [4, 4], but config.json makes it [3, 3]" }
    ])
  })
})

describe("misfits", () => {
  it("are what keeps parameters from being a configuration's", () => {
    assert.deepStrictEqual(HuggingFaceWeights.misfits({ config: small, parameters }), [])
    const others = { ...without(bias), [decoder]: nudged(words, 0), [words]: Tensor.host([1]) }
    assert.deepStrictEqual(HuggingFaceWeights.misfits({ config: small, parameters: others }), [
      { tensor: words, reason: "has shape [1], but config.json makes it [11, 4]" },
      { tensor: bias, reason: "is missing" },
      { tensor: decoder, reason: "is no parameter of this model" }
    ])
  })
})

describe("toTensors, then load", () => {
  it("gives every kind of model back", () => {
    for (const config of [small, uneven, untied, { ...small, head: "none" } as const]) {
      const plain = { config, parameters: weights(config, 3) }
      for (const model of [plain, { ...plain, pooler: poolerOf(config) }]) {
        const { ignored: _, ...loaded } = load(HuggingFaceWeights.toTensors(model), config)
        assert.deepStrictEqual(loaded, model)
      }
    }
  })

  it("has the names that Hugging Face's classes have", () => {
    const bare = { config: { ...small, head: "none" } as const, parameters: without("cls.") }
    for (const name of Object.keys(HuggingFaceWeights.toTensors(bare))) assert.match(name, /^(embeddings|encoder)\./)
    const poolers = ({ pooler: _, ...model }: HuggingFaceWeights.Weights) =>
      Object.keys(HuggingFaceWeights.toTensors({ ...model, pooler: poolerOf(small) })).filter((name) =>
        name.includes("pooler")
      )
    assert.deepStrictEqual(poolers(bare), ["pooler.dense.bias", "pooler.dense.weight"])
    assert.deepStrictEqual(poolers({ config: small, parameters }), [Pooler.bias, Pooler.weight])
  })
})

describe("isUnused", () => {
  it("knows what encoder and masked language modelling do without", () => {
    const unused = [
      "bert.pooler.projection.weight",
      "pooler.bias",
      "cls.seq_relationship.bias",
      "bert.embeddings.position_ids",
      "embeddings.position_ids",
      "classifier.weight",
      "qa_outputs.bias"
    ]
    assert.isTrue(unused.every(HuggingFaceWeights.isUnused))
    assert.isFalse(
      [words, decoder, bias, "bert.encoder.pooler.x", "pooler.dense.bias", Pooler.weight].some(
        HuggingFaceWeights.isUnused
      )
    )
  })
})

describe("withUsualScale", () => {
  it("is the same function", async () => {
    const student = { config: uneven, parameters: weights(uneven), pooler: poolerOf(uneven) }
    const usual = HuggingFaceWeights.withUsualScale(student)
    assert.strictEqual(usual.pooler, student.pooler)
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
