import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { BertConfig } from "../model/index.ts"
import { ConfigError, type ConfigProblem, type JsonObject } from "../spec/index.ts"

type BertConfig = BertConfig.BertConfig

/** The factor Hugging Face's BERT puts on attention scores: 1/√(hidden / heads). */
export const usualScale = ({ hidden, heads }: Pick<BertConfig, "hidden" | "heads">): number =>
  1 / Math.sqrt(hidden / heads)

/**
 * The `config.json` of a BertForMaskedLM; what Hugging Face has no words for, the widths of each layer and the factor on
 * attention scores, stands in its `homodistil` object.
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
export const toJson = (config: BertConfig): JsonObject => ({
  architectures: ["BertForMaskedLM"],
  attention_probs_dropout_prob: 0.1,
  hidden_act: "gelu",
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
  pad_token_id: 0,
  position_embedding_type: "absolute",
  tie_word_embeddings: true,
  torch_dtype: "float32",
  type_vocab_size: config.types,
  vocab_size: config.vocabSize
})

// every check carries the bound as its message, so that an issue's message is what the value must be

const bounded = (bound: string, ...checks: ReadonlyArray<"whole" | "above 0">) => {
  const message = { message: bound }
  const number = Schema.Number.annotate(message).check(Schema.isFinite(message), Schema.isGreaterThan(0, message))
  return checks.includes("whole") ? number.check(Schema.isInt(message)) : number
}
const count = bounded("a whole number above 0", "whole")
const number = bounded("a number above 0")
const required = <S extends Schema.Top>(schema: S, bound: string) => schema.annotateKey({ messageMissingKey: bound })
const Count = required(count, "a whole number above 0")
const Widths = required(
  Schema.Array(count).annotate({ message: "a list of whole numbers" }),
  "a list of whole numbers, one for each layer"
)

/** A field of which this project's BERT knows one value only, which is also what a missing field means. */
const always = <const L extends string | boolean>(value: L) =>
  Schema.Literal(value)
    .annotate({ message: `${JSON.stringify(value)}, the only one this project's BERT knows` })
    .pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const File = Schema.Struct({
  model_type: required(Schema.Literal("bert").annotate({ message: '"bert"' }), '"bert"'),
  vocab_size: Count,
  max_position_embeddings: Count,
  type_vocab_size: Count,
  num_hidden_layers: Count,
  num_attention_heads: Count,
  hidden_size: Count,
  intermediate_size: Count,
  layer_norm_eps: number.pipe(Schema.withDecodingDefaultKey(Effect.succeed(1e-12))),
  hidden_act: always("gelu"),
  position_embedding_type: always("absolute"),
  tie_word_embeddings: always(true),
  is_decoder: always(false),
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
 * Fails with `ConfigError`, all problems at once: another kind of model, a missing or impossible size, an activation, position
 * or decoder that this project's BERT does not have.
 */
export const fromJson = (text: string, file = "config.json"): Result.Result<BertConfig, ConfigError> =>
  Result.gen(function* () {
    const given = Result.getOrElse(decodeText(text), () => undefined)
    const fail = (issues: ReadonlyArray<Issue>) =>
      Result.fail(new ConfigError({ problems: issues.map(describe(given, file)) }))
    if (given === undefined) return yield* fail([{ path: [], bound: "a JSON object" }])
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
  return { ...usual, ...file.homodistil, epsilon: file.layer_norm_eps }
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
      value: value === undefined ? (path.length === 0 ? "no JSON" : "missing") : shorten(JSON.stringify(value)),
      bound,
      remedy: "correct the file, or give the folder of a BertForMaskedLM"
    }
  }

const isObject = (x: unknown): x is object => typeof x === "object" && x !== null
const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text)
