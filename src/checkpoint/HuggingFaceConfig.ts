import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { type Activation, BertConfig } from "../model/index.ts"
import { ConfigError, type ConfigProblem, type JsonObject } from "../spec/index.ts"
import { duplicateKey } from "./duplicateKey.ts"

type BertConfig = BertConfig.BertConfig

/** The factor Hugging Face's BERT puts on attention scores: 1/√(hidden / heads). */
export const usualScale = ({ hidden, heads }: Pick<BertConfig, "hidden" | "heads">): number =>
  1 / Math.sqrt(hidden / heads)

type Act = Activation.Activation

/** The names Hugging Face has for activations that are known here; absent for the exact GELU. */
const activations: { readonly [name: string]: { readonly activation?: Act } } = {
  gelu: {},
  gelu_python: {},
  gelu_new: { activation: "gelu_new" },
  gelu_pytorch_tanh: { activation: "gelu_new" },
  gelu_python_tanh: { activation: "gelu_new" },
  gelu_accurate: { activation: "gelu_new" },
  gelu_fast: { activation: "gelu_new" },
  quick_gelu: { activation: "quick_gelu" },
  relu: { activation: "relu" },
  silu: { activation: "silu" },
  swish: { activation: "silu" },
  tanh: { activation: "tanh" }
}

/** The architectures of Hugging Face that have a masked-language-model head. */
const withHead: ReadonlyArray<unknown> = ["BertForMaskedLM", "BertForPreTraining", "BertLMHeadModel"]

/** The id of the piece that pads; `null` where there is none. */
export type PadTokenId = number | null

/**
 * The `config.json` of a BertForMaskedLM, or of a BertModel where there is no head; what Hugging Face has no words for, the widths of each layer and the factor on
 * attention scores, stands in its `homodistil` object.
 *
 * `padTokenId` is the id of the piece that pads, whose embedding `transformers` does not train; BERT's own 0 unless given, or where it is no id of the vocabulary, which
 * `transformers` would refuse.
 *
 * @example
 * ```ts
 * import { HuggingFaceConfig } from "homodistil/checkpoint"
 * import { BertConfig } from "homodistil/model"
 * import * as Result from "effect/Result"
 * const json = HuggingFaceConfig.toJson(BertConfig.micro)
 * assert.equal(json["hidden_size"], 128)
 * assert.deepEqual(Result.getOrThrow(HuggingFaceConfig.fromJson(JSON.stringify(json))), BertConfig.micro)
 * ```
 */
export const toJson = (config: BertConfig, padTokenId: PadTokenId = 0): JsonObject => ({
  architectures: [config.head === "none" ? "BertModel" : "BertForMaskedLM"],
  attention_probs_dropout_prob: 0.1,
  hidden_act: config.activation ?? "gelu",
  hidden_dropout_prob: 0.1,
  hidden_size: config.hidden,
  homodistil: { ffn: config.ffn, qk: config.qk, scale: config.scale, vo: config.vo },
  initializer_range: 0.02,
  intermediate_size: Math.max(...config.ffn),
  layer_norm_eps: config.epsilon,
  max_position_embeddings: config.positions,
  model_type: "bert",
  num_attention_heads: config.heads,
  num_hidden_layers: config.layers,
  pad_token_id: padTokenId === null || isId(padTokenId, config) ? padTokenId : 0,
  position_embedding_type: "absolute",
  tie_word_embeddings: config.decoder !== "untied",
  torch_dtype: "float32",
  type_vocab_size: config.types,
  vocab_size: config.vocabSize
})

const isId = (id: number, { vocabSize }: BertConfig): boolean => Number.isInteger(id) && id >= 0 && id < vocabSize

const decodePadTokenId = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ pad_token_id: Schema.NullOr(Schema.Int) }))
)

/**
 * The id of the piece that pads, by the text of a `config.json`; `undefined` where it does not say. No forward pass depends on it, so that
 * nothing is refused here.
 *
 * @example
 * ```ts
 * import { HuggingFaceConfig } from "homodistil/checkpoint"
 * assert.equal(HuggingFaceConfig.padTokenId('{ "pad_token_id": 3 }'), 3)
 * assert.equal(HuggingFaceConfig.padTokenId("{}"), undefined)
 * ```
 */
export const padTokenId = (text: string): PadTokenId | undefined =>
  Result.match(decodePadTokenId(text), { onFailure: () => undefined, onSuccess: ({ pad_token_id: id }) => id })

// every check carries the bound as its message, so that an issue's message is what the value must be

const above0 = (bound: string) => {
  const message = { message: bound }
  return Schema.Number.annotate(message).check(Schema.isFinite(message), Schema.isGreaterThan(0, message))
}
const whole = (bound: string, most = 2 ** 31) => {
  const message = { message: bound }
  return above0(bound).check(Schema.isInt(message), Schema.isLessThanOrEqualTo(most, message))
}
const count = whole("a whole number above 0")
const number = above0("a number above 0")
const required = <S extends Schema.Top>(schema: S, bound: string) => schema.annotateKey({ messageMissingKey: bound })
const Count = required(count, "a whole number above 0")
// the widths are kept for each layer, so that a file of a few bytes must not name a billion of them
const Layers = required(whole("a whole number from 1 to 1000", 1000), "a whole number from 1 to 1000")
const Widths = required(
  Schema.Array(count).annotate({ message: "a list of whole numbers" }),
  "a list of whole numbers, one for each layer"
)

/** A field of which this project's BERT knows one value only, which is also what a missing field means. */
const always = <const L extends string | boolean>(value: L) =>
  Schema.Literal(value)
    .annotate({ message: `${JSON.stringify(value)}, the only one this project's BERT knows` })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

/** A field that changes what the model computes when it says anything. */
const silent = (bound: string) =>
  Schema.optionalKey(Schema.Unknown.check(Schema.makeFilter((value) => saysNothing(value), { message: bound })))

const saysNothing = (value: unknown): boolean => value === null || (isObject(value) && Object.keys(value).length === 0)

const isActivation = (name: string): boolean => Object.hasOwn(activations, name)

const activationBound = `one of ${Object.keys(activations).join(", ")}`

const File = Schema.Struct({
  architectures: Schema.optionalKey(Schema.Unknown),
  model_type: required(Schema.Literal("bert").annotate({ message: '"bert"' }), '"bert"'),
  vocab_size: Count,
  max_position_embeddings: Count,
  type_vocab_size: Count,
  num_hidden_layers: Layers,
  num_attention_heads: Count,
  hidden_size: Count,
  intermediate_size: Count,
  layer_norm_eps: number.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1e-12))),
  hidden_act: Schema.String.annotate({ message: activationBound })
    .check(Schema.makeFilter(isActivation, { message: activationBound }))
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed("gelu"))),
  position_embedding_type: always("absolute"),
  tie_word_embeddings: Schema.Boolean.annotate({ message: "true or false" }).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(true))
  ),
  is_decoder: always(false),
  add_cross_attention: always(false),
  quantization_config: silent("absent: quantised weights are not read"),
  pruned_heads: silent("absent or {}: layers with fewer heads than others are not read"),
  homodistil: Schema.optionalKey(
    Schema.Struct({ ffn: Widths, qk: Widths, vo: Widths, scale: required(number, "a number above 0") }).annotate({
      message: "an object with ffn, qk, vo and scale"
    })
  )
}).annotate({ message: "a JSON object" })

const decodeFile = Schema.decodeUnknownResult(Schema.fromJsonString(File))
const decodeText = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

/** A problem before it knows the file it is in. */
interface Issue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly bound: string
}

/**
 * The configuration in the text of a `config.json`; fields that do not change a forward pass are not looked at.
 *
 * Whether there is a head and a decoder of its own is what the file says; a checkpoint's weights have the last word. Fails with
 * `ConfigError`, all problems at once (the first twenty): another kind of model, a missing or impossible size, an activation or
 * positions that this project's BERT does not have, a decoder (in the sense of generation), quantised weights, pruned heads.
 */
export const fromJson = (text: string, file = "config.json"): Result.Result<BertConfig, ConfigError> =>
  Result.gen(function* () {
    const given = Result.getOrElse(decodeText(text), () => undefined)
    const fail = (issues: ReadonlyArray<Issue>) =>
      Result.fail(new ConfigError({ problems: issues.slice(0, 20).map(describe(given, file)) }))
    if (given === undefined) return yield* fail([{ path: [], bound: "a JSON object" }])
    const twice = duplicateKey(text)
    if (twice !== undefined) return yield* fail([{ path: [twice], bound: "there once, but the file has it twice" }])
    const decoded = decodeFile(text, { errors: "all" })
    if (Result.isFailure(decoded)) return yield* fail(issuesOf(decoded.failure.issue))
    const config = fromFile(decoded.success)
    const contradictions = contradictionsIn(config, decoded.success.homodistil !== undefined)
    return contradictions.length > 0 ? yield* fail(contradictions) : config
  })

const issuesOf = (issue: SchemaIssue.Issue): ReadonlyArray<Issue> =>
  SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues.map(({ path, message }) => ({
    path: (path ?? []).map((key) => (typeof key === "object" ? key.key : key)),
    bound: message
  }))

const fromFile = (file: typeof File.Type): BertConfig => {
  const usual = BertConfig.uniform({
    vocabSize: file.vocab_size,
    positions: file.max_position_embeddings,
    types: file.type_vocab_size,
    layers: file.num_hidden_layers,
    heads: file.num_attention_heads,
    hidden: file.hidden_size,
    ffn: file.intermediate_size
  })
  const bare = Array.isArray(file.architectures) && !file.architectures.some((name) => withHead.includes(name))
  return {
    ...usual,
    ...file.homodistil,
    epsilon: file.layer_norm_eps,
    ...activations[file.hidden_act],
    ...(bare ? { head: "none" } : file.tie_word_embeddings ? {} : { decoder: "untied" })
  }
}

const contradictionsIn = (config: BertConfig, own: boolean): ReadonlyArray<Issue> => {
  const { heads, hidden, layers } = config
  if (!own)
    return hidden % heads === 0 ? [] : [{ path: ["hidden_size"], bound: `a multiple of num_attention_heads, ${heads}` }]
  const kinds = ["ffn", "qk", "vo"] as const
  return kinds.flatMap((kind): ReadonlyArray<Issue> => {
    const path = ["homodistil", kind]
    if (config[kind].length !== layers)
      return [{ path, bound: `a list of ${layers} numbers, one for each of num_hidden_layers` }]
    return kind === "ffn" || config[kind].every((width) => width % heads === 0)
      ? []
      : [{ path, bound: `a list of multiples of num_attention_heads, ${heads}` }]
  })
}

const describe =
  (given: unknown, file: string) =>
  ({ path, bound }: Issue): ConfigProblem => {
    const value = path.reduce<unknown>((inner, key) => (isObject(inner) ? Reflect.get(inner, key) : undefined), given)
    return {
      key: path.length === 0 ? file : `${path.map(String).join(".")} in ${file}`,
      value: value === undefined ? (path.length === 0 ? "no JSON" : "missing") : shorten(textOf(value)),
      bound,
      remedy: remedies[String(path[0])] ?? "correct the file, or give the folder of another BERT"
    }
  }

const remedies: { readonly [field: string]: string } = {
  model_type: "give the folder of a BERT; RoBERTa, DistilBERT and others number positions or name weights differently",
  position_embedding_type: "give a BERT with learned absolute positions",
  is_decoder: "give a BERT that is an encoder",
  add_cross_attention: "give a BERT that is an encoder",
  quantization_config: "give the folder of the model before it was quantised",
  pruned_heads: "give the folder of the model before heads were pruned"
}

// JSON.stringify recurses, so that a file of nothing but brackets can exhaust its stack
const textOf = (value: unknown): string =>
  Result.getOrElse(
    Result.try(() => JSON.stringify(value)),
    () => "a value nested too deeply"
  )

const isObject = (x: unknown): x is object => typeof x === "object" && x !== null
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text)
