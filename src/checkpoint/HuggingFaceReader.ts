import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Pooler } from "../model/index.ts"
import { ConfigError, Digest, type Json, OutputFolder } from "../spec/index.ts"
import * as HuggingFaceConfig from "./HuggingFaceConfig.ts"
import { files, readTokenizerFiles, type TokenizerFiles } from "./HuggingFaceFiles.ts"
import * as HuggingFaceWeights from "./HuggingFaceWeights.ts"
import * as InputFile from "./InputFile.ts"
import * as Safetensors from "./Safetensors.ts"
import * as WeightFiles from "./WeightFiles.ts"

/** What was read. */
export interface Checkpoint extends HuggingFaceWeights.Weights {
  readonly tokenizerFiles: TokenizerFiles
  /** The id of the piece that pads, where `config.json` says one, or that there is none. */
  readonly padTokenId?: HuggingFaceConfig.PadTokenId
  readonly provenance?: Json
  /** The digest of the model itself: of its shape and weights, not of how they were named or stored. */
  readonly digest: Digest.Digest
  /** Tensors of the files that neither the encoder, its pooler nor its masked-language-model head has a use for, sorted. */
  readonly ignored: ReadonlyArray<string>
}

/** The digest of a model's shape and weights, any pooler's among them, the same whether it is in memory or on disk. */
export const digest = ({ config, parameters, pooler }: HuggingFaceWeights.Weights): Digest.Digest =>
  Digest.of({
    config: { ...config },
    weights: Digest.ofParts(Safetensors.encodeParts({ ...parameters, ...Pooler.parameters(pooler) }, { format: "pt" }))
  })

/**
 * Reads a Hugging Face directory of a BERT: BertModel, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification or a sentence
 * encoder; one file of weights or several with an index; float32, float16 or bfloat16, which become float32.
 *
 * A model without a masked-language-model head has `head: "none"` in its configuration, and BERT's pooler stands beside the parameters where there is one. `key` is the setting that named the directory,
 * for errors. Fails with `ConfigError` where the directory or a file of it is missing and where `config.json` is wrong or tells of a model
 * that is not read, before any weights are; with `CheckpointError` where the weights are wrong; all problems of a file at once. Tensors are
 * read one after another into the memory they stay in.
 *
 * @example
 * ```ts
 * import { HuggingFace } from "homodistil/checkpoint"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * const error = await Effect.runPromise(
 *   HuggingFace.read("no/such/folder", "--teacher").pipe(Effect.flip, Effect.provide(NodeServices.layer))
 * )
 * assert.match(error.message, /^--teacher = no\/such\/folder: must be a folder with config.json and model.safetensors/)
 * ```
 */
export const read = Effect.fn("HuggingFace.read")(function* (directory: string, key: string = "teacher") {
  const path = yield* Path.Path
  const file = (name: string) => path.join(directory, name)
  yield* expectFiles(directory, key)
  const text = new TextDecoder().decode(yield* InputFile.read(file(files.config), 2 ** 20))
  const config = yield* Effect.fromResult(HuggingFaceConfig.fromJson(text, file(files.config)))
  const padTokenId = HuggingFaceConfig.padTokenId(text)
  const { model, ignored } = yield* Effect.scoped(
    Effect.gen(function* () {
      const weights = yield* WeightFiles.open(directory)
      const { ignored, ...model } = yield* HuggingFaceWeights.load(config, weights)
      return { model, ignored: [...ignored, ...weights.unused].sort() }
    })
  )
  const provenance = yield* readProvenance(file(files.provenance))
  const tokenizerFiles = yield* readTokenizerFiles(directory)
  return {
    ...model,
    tokenizerFiles,
    ...(padTokenId === undefined ? {} : { padTokenId }),
    ...provenance,
    digest: digest(model),
    ignored
  } satisfies Checkpoint
})

/** Files of weights that are not read, with what makes one of them that is. */
const otherWeights = ["pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack"]

/** Passes for a folder that has a configuration and weights. Fails with `ConfigError` saying what it has not. */
export const expectFiles = Effect.fnUntraced(function* (directory: string, key: string) {
  const path = yield* Path.Path
  const kind = yield* Effect.orElseSucceed(OutputFolder.kindOf(directory), () => undefined)
  const there = (name: string) => InputFile.exists(path.join(directory, name))
  const weights = (yield* there(WeightFiles.single)) || (yield* there(WeightFiles.index))
  const missing = [...((yield* there(files.config)) ? [] : [files.config]), ...(weights ? [] : [WeightFiles.single])]
  if (missing.length === 0) return
  const [other] = yield* Effect.filter(otherWeights, there)
  const state =
    kind === undefined
      ? "there is no such folder"
      : kind === "Directory"
        ? `it has no ${missing.join(" and no ")}${weights || other === undefined ? "" : `, only ${other}, which is not read`}`
        : "it is a file"
  return yield* new ConfigError({
    problems: [
      {
        key,
        value: directory,
        bound: `a folder with ${files.config} and ${WeightFiles.single}, but ${state}`,
        remedy:
          weights || other === undefined
            ? "give the folder of a BERT, or make one with homodistil pretrain"
            : "save the model anew in Python: AutoModelForMaskedLM.from_pretrained(folder).save_pretrained(other)"
      }
    ]
  })
})

const decodeProvenance = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Json))

/** What a folder tells of how its model was made, if it does. Fails with `CheckpointError` where that is not JSON. */
export const readProvenance = Effect.fnUntraced(function* (file: string) {
  if (!(yield* InputFile.exists(file))) return {}
  const text = new TextDecoder().decode(yield* InputFile.read(file))
  // a file of nothing but brackets is JSON, but nothing could write it again: that recurses, and exhausts the stack
  const decoded = Result.try(() => {
    const value = Result.getOrThrow(decodeProvenance(text))
    JSON.stringify(value)
    return value
  })
  if (Result.isFailure(decoded))
    return yield* InputFile.unusable(file, "is not JSON", "correct it, or remove it: a model can be read without")
  const provenance: Json = decoded.success
  return { provenance }
})
