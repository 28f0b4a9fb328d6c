import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as HuggingFaceConfig from "../../src/checkpoint/HuggingFaceConfig.ts"
import { BertConfig } from "../../src/model/index.ts"
import { small, uneven } from "./samples.ts"

const read = (json: unknown) => HuggingFaceConfig.fromJson(JSON.stringify(json))

const problems = (json: unknown) =>
  Result.getOrThrow(Result.flip(read(json))).problems.map(({ key, value, bound }) => `${key} = ${value}: ${bound}`)

/** The fields of bert-base-uncased's config.json, as Hugging Face keeps it. */
const base = {
  architectures: ["BertForMaskedLM"],
  attention_probs_dropout_prob: 0.1,
  gradient_checkpointing: false,
  hidden_act: "gelu",
  hidden_dropout_prob: 0.1,
  hidden_size: 768,
  initializer_range: 0.02,
  intermediate_size: 3072,
  layer_norm_eps: 1e-12,
  max_position_embeddings: 512,
  model_type: "bert",
  num_attention_heads: 12,
  num_hidden_layers: 12,
  pad_token_id: 0,
  position_embedding_type: "absolute",
  transformers_version: "4.6.0.dev0",
  type_vocab_size: 2,
  use_cache: true,
  vocab_size: 30522
}

const size = fc.integer({ min: 1, max: 5000 })
const config: fc.Arbitrary<BertConfig.BertConfig> = fc
  .record({ layers: fc.integer({ min: 1, max: 5 }), heads: fc.integer({ min: 1, max: 4 }) })
  .chain(({ layers, heads }) => {
    const widths = (multiple: number) =>
      fc.array(
        size.map((width) => width * multiple),
        { minLength: layers, maxLength: layers }
      )
    return fc.record({
      layers: fc.constant(layers),
      heads: fc.constant(heads),
      vocabSize: size,
      positions: size,
      types: size,
      hidden: size,
      ffn: widths(1),
      qk: widths(heads),
      vo: widths(heads),
      scale: fc.double({ min: 1e-3, max: 1, noNaN: true }),
      epsilon: fc.double({ min: 1e-12, max: 1e-3, noNaN: true })
    })
  })

describe("toJson, then fromJson", () => {
  it("gives every configuration back", () => {
    fc.assert(
      fc.property(config, (some) => {
        assert.deepStrictEqual(Result.getOrThrow(read(HuggingFaceConfig.toJson(some))), some)
      })
    )
  })
})

describe("fromJson", () => {
  it("reads what Hugging Face wrote", () => {
    const expected = BertConfig.uniform({
      vocabSize: 30522,
      positions: 512,
      layers: 12,
      heads: 12,
      hidden: 768,
      ffn: 3072
    })
    assert.deepStrictEqual(Result.getOrThrow(read(base)), expected)
    assert.strictEqual(expected.scale, 0.125)
  })

  it("takes Hugging Face's defaults for what may be missing", () => {
    const { hidden_act: _, layer_norm_eps: __, position_embedding_type: ___, ...rest } = base
    assert.deepStrictEqual(read(rest), read(base))
  })

  const cases: ReadonlyArray<readonly [string, unknown, ReadonlyArray<string>]> = [
    ["another kind of model", { ...base, model_type: "gpt2" }, ['model_type in config.json = "gpt2": "bert"']],
    ["no size", { ...base, hidden_size: undefined }, ["hidden_size in config.json = missing: a whole number above 0"]],
    ["a size of 0", { ...base, vocab_size: 0 }, ["vocab_size in config.json = 0: a whole number above 0"]],
    [
      "half a layer",
      { ...base, num_hidden_layers: 1.5 },
      ["num_hidden_layers in config.json = 1.5: a whole number above 0"]
    ],
    ["a text", { ...base, type_vocab_size: "2" }, ['type_vocab_size in config.json = "2": a whole number above 0']],
    ["no epsilon", { ...base, layer_norm_eps: 0 }, ["layer_norm_eps in config.json = 0: a number above 0"]],
    [
      "another activation",
      { ...base, hidden_act: "relu" },
      ['hidden_act in config.json = "relu": "gelu", the only one this project\'s BERT knows']
    ],
    [
      "an untied decoder",
      { ...base, tie_word_embeddings: false },
      ["tie_word_embeddings in config.json = false: true, the only one this project's BERT knows"]
    ],
    [
      "heads that do not divide the width",
      { ...base, num_attention_heads: 7 },
      ["hidden_size in config.json = 768: a multiple of num_attention_heads, 7"]
    ],
    ["a list", [1], ["config.json = [1]: a JSON object"]],
    [
      "own widths of other layers",
      { ...HuggingFaceConfig.toJson(uneven), num_hidden_layers: 3 },
      ["ffn [5,2]", "qk [2,4]", "vo [4,2]"].map((field) => {
        const [kind, value] = field.split(" ")
        return `homodistil.${kind} in config.json = ${value}: a list of 3 numbers, one for each of num_hidden_layers`
      })
    ],
    [
      "own widths that heads do not divide",
      HuggingFaceConfig.toJson({ ...uneven, qk: [2, 3] }),
      ["homodistil.qk in config.json = [2,3]: a list of multiples of num_attention_heads, 2"]
    ],
    [
      "own fields of another kind",
      { ...base, homodistil: { ffn: [1, "x"], qk: 1, scale: -1 } },
      [
        'homodistil.ffn.1 in config.json = "x": a whole number above 0',
        "homodistil.qk in config.json = 1: a list of whole numbers",
        "homodistil.vo in config.json = missing: a list of whole numbers, one for each layer",
        "homodistil.scale in config.json = -1: a number above 0"
      ]
    ]
  ]
  for (const [what, json, expected] of cases)
    it(`refuses ${what}`, () => assert.deepStrictEqual(problems(json), expected))

  it("names every problem at once, with the file and a remedy", () => {
    const error = Result.getOrThrow(
      Result.flip(HuggingFaceConfig.fromJson('{ "model_type": "bert", "vocab_size": -1 }', "teacher/config.json"))
    )
    assert.strictEqual(error.problems.length, 7)
    assert.match(
      error.message,
      /^vocab_size in teacher\/config\.json = -1: must be a whole number above 0; correct the file, or give the folder/m
    )
  })

  it("refuses what is not JSON", () => {
    const error = Result.getOrThrow(Result.flip(HuggingFaceConfig.fromJson("{")))
    assert.match(error.message, /^config\.json = no JSON: must be a JSON object;/)
  })
})

describe("usualScale", () => {
  it("is one over the root of a head's width", () => {
    assert.approximately(HuggingFaceConfig.usualScale(small), Math.SQRT1_2, 1e-15)
  })
})
