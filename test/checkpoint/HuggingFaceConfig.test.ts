import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as HuggingFaceConfig from "../../src/checkpoint/HuggingFaceConfig.ts"
import { Activation, BertConfig } from "../../src/model/index.ts"
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

const names =
  "gelu gelu_python gelu_new gelu_pytorch_tanh gelu_python_tanh gelu_accurate gelu_fast quick_gelu relu silu swish tanh".split(
    " "
  )

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
      epsilon: fc.double({ min: 1e-12, max: 1e-3, noNaN: true }),
      activation: fc.constantFrom({}, ...Activation.activations.map((activation) => ({ activation }))),
      kind: fc.constantFrom({}, { decoder: "untied" as const }, { head: "none" as const })
    })
  })
  .map(({ activation, kind, ...rest }) => ({ ...rest, ...activation, ...kind }))

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
      ["num_hidden_layers in config.json = 1.5: a whole number from 1 to 1000"]
    ],
    ["a text", { ...base, type_vocab_size: "2" }, ['type_vocab_size in config.json = "2": a whole number above 0']],
    ["no epsilon", { ...base, layer_norm_eps: 0 }, ["layer_norm_eps in config.json = 0: a number above 0"]],
    [
      "another activation",
      { ...base, hidden_act: "mish" },
      [
        'hidden_act in config.json = "mish": one of gelu, gelu_python, gelu_new, gelu_pytorch_tanh, gelu_python_tanh, gelu_accurate, gelu_fast, quick_gelu, relu, silu, swish, tanh'
      ]
    ],
    [
      "an activation that objects have",
      { ...base, hidden_act: "toString", tie_word_embeddings: "no" },
      [
        `hidden_act in config.json = "toString": one of ${names.join(", ")}`,
        'tie_word_embeddings in config.json = "no": true or false'
      ]
    ],
    [
      "a model that generates, or has positions relative to each other",
      { ...base, is_decoder: true, add_cross_attention: true, position_embedding_type: "relative_key" },
      [
        'position_embedding_type in config.json = "relative_key": "absolute", the only one this project\'s BERT knows',
        "is_decoder in config.json = true: false, the only one this project's BERT knows",
        "add_cross_attention in config.json = true: false, the only one this project's BERT knows"
      ]
    ],
    [
      "quantised weights and pruned heads",
      { ...base, quantization_config: { load_in_8bit: true }, pruned_heads: { 0: [1] } },
      [
        'quantization_config in config.json = {"load_in_8bit":true}: absent: quantised weights are not read',
        'pruned_heads in config.json = {"0":[1]}: absent or {}: layers with fewer heads than others are not read'
      ]
    ],
    [
      "a billion layers",
      { ...base, num_hidden_layers: 1e9 },
      ["num_hidden_layers in config.json = 1000000000: a whole number from 1 to 1000"]
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

  it("tells head and decoder, and takes null and {} for nothing said", () => {
    const usual = Result.getOrThrow(read(base))
    const of = (fields: object) => Result.getOrThrow(read({ ...base, ...fields }))
    assert.deepStrictEqual(of({ architectures: ["BertModel"] }), { ...usual, head: "none" })
    assert.deepStrictEqual(of({ architectures: ["BertForSequenceClassification"], tie_word_embeddings: false }), {
      ...usual,
      head: "none"
    })
    assert.deepStrictEqual(of({ tie_word_embeddings: false }), { ...usual, decoder: "untied" })
    for (const architectures of [["BertForPreTraining"], undefined, "BertModel", null])
      assert.deepStrictEqual(of({ architectures, quantization_config: null, pruned_heads: {} }), usual)
    assert.deepStrictEqual(
      names.map((hidden_act) => of({ hidden_act }).activation ?? "gelu"),
      ["gelu", "gelu", ...Array.from({ length: 5 }, () => "gelu_new"), "quick_gelu", "relu", "silu", "silu", "tanh"]
    )
  })

  it("says what to do about kinds of models that are not read", () => {
    for (const model_type of ["roberta", "distilbert"])
      assert.match(
        Result.getOrThrow(Result.flip(read({ ...base, model_type }))).message,
        /RoBERTa, DistilBERT and others/
      )
  })

  it("refuses a key that is there twice, and brackets without end", () => {
    const twice = JSON.stringify(base).replace("{", '{"hidden_size":12,')
    assert.match(
      Result.getOrThrow(Result.flip(HuggingFaceConfig.fromJson(twice))).message,
      /^hidden_size in config\.json = 768: must be there once, but the file has it twice/
    )
    const deep = `{"model_type":${"[".repeat(200_000)}${"]".repeat(200_000)}}`
    assert.match(
      Result.getOrThrow(Result.flip(HuggingFaceConfig.fromJson(deep))).message,
      /nested too deeply: must be "bert"/
    )
  })

  it("refuses what is not JSON", () => {
    const error = Result.getOrThrow(Result.flip(HuggingFaceConfig.fromJson("{")))
    assert.match(error.message, /^config\.json = no JSON: must be a JSON object;/)
  })
})

describe("the id of the piece that pads", () => {
  const written = (...id: readonly [] | readonly [HuggingFaceConfig.PadTokenId]) =>
    HuggingFaceConfig.toJson(small, ...id)["pad_token_id"]

  it("is written where the vocabulary has it or there is none, and else 0", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.integer({ min: -2, max: 13 })), (id) => {
        assert.strictEqual(written(id), id === Math.trunc(id) && id >= 0 && id < 11 ? id : 0)
      })
    )
    assert.deepStrictEqual([written(), written(null), written(3)], [0, null, 3])
  })

  it("is read where a file says it, and nothing is refused for it", () => {
    const said = (fields: object) => HuggingFaceConfig.padTokenId(JSON.stringify({ ...base, ...fields }))
    assert.deepStrictEqual([said({}), said({ pad_token_id: null }), said({ pad_token_id: 7 })], [0, null, 7])
    for (const pad_token_id of [undefined, "0", 1.5, [0]]) {
      assert.isUndefined(said({ pad_token_id }))
      assert.isTrue(Result.isSuccess(read({ ...base, pad_token_id })))
    }
    assert.isUndefined(HuggingFaceConfig.padTokenId("{"))
  })
})

describe("usualScale", () => {
  it("is one over the root of a head's width", () => {
    assert.approximately(HuggingFaceConfig.usualScale(small), Math.SQRT1_2, 1e-15)
  })
})
