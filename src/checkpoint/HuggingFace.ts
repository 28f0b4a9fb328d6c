import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { ConfigError, Digest, type Json, type OutputError, OutputFolder } from "../spec/index.ts"
import { CheckpointError } from "./CheckpointError.ts"
import * as HuggingFaceConfig from "./HuggingFaceConfig.ts"
import * as HuggingFaceWeights from "./HuggingFaceWeights.ts"
import * as Safetensors from "./Safetensors.ts"
import * as WholeFolder from "./WholeFolder.ts"

/** The files by which a tokenizer travels with a model. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.txt",
  "special_tokens_map.json"
] as const

/** The bytes of a tokenizer's files. */
export type TokenizerFiles = { readonly [name in (typeof tokenizerFileNames)[number]]?: Uint8Array }

/** What is written: a model, the tokenizer it was trained with, and how it came to be. */
export interface Contents extends HuggingFaceWeights.Weights {
  readonly tokenizerFiles?: TokenizerFiles
  /** How the model was made: command, seed, digest of the data, measures. */
  readonly provenance?: Json
}

/** What was read. */
export interface Checkpoint extends HuggingFaceWeights.Weights {
  readonly tokenizerFiles: TokenizerFiles
  readonly provenance?: Json
  /** The digest of the model itself: of its shape and weights, not of how they were named or stored. */
  readonly digest: Digest.Digest
  /** Tensors of the file that masked language modelling has no use for. */
  readonly ignored: ReadonlyArray<string>
}

const configFile = "config.json"
const weightsFile = "model.safetensors"
const provenanceFile = "provenance.json"
const fileNames: ReadonlyArray<string> = [configFile, weightsFile, provenanceFile, ...tokenizerFileNames]

const weightsOf = ({ parameters }: HuggingFaceWeights.Weights): Uint8Array =>
  Safetensors.encode(parameters, { format: "pt" })

/** The digest of a model's shape and weights, the same whether it is in memory or on disk. */
export const digest = (model: HuggingFaceWeights.Weights): Digest.Digest =>
  Digest.of({ config: { ...model.config }, weights: Digest.ofBytes(weightsOf(model)) })

/**
 * Writes a model as a Hugging Face directory of a BertForMaskedLM: `config.json`, `model.safetensors` (the decoder is tied and
 * not repeated), the tokenizer's files and `provenance.json`.
 *
 * Everything is written aside and then renamed into place, so the directory is whole, or as it was before. A checkpoint that
 * is already there is replaced; a folder that holds other files is not touched. Fails with `OutputError`. Equal contents give
 * equal bytes.
 *
 * @example
 * ```ts
 * import { HuggingFace } from "homodistil/checkpoint"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * const config = BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const program = Effect.gen(function* () {
 *   const directory = `${yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()}/student`
 *   yield* HuggingFace.write(directory, { config, parameters, provenance: { seed: 0 } })
 *   return yield* HuggingFace.read(directory)
 * })
 * const read = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepEqual([read.config, read.parameters, read.provenance], [config, parameters, { seed: 0 }])
 * ```
 */
export const write = (
  directory: string,
  contents: Contents
): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(
    Effect.sync(() => filesOf(contents)),
    (files) => WholeFolder.write(directory, files, fileNames)
  )

/**
 * Finds out whether a checkpoint could be written there: to be asked before a model is trained for it. Fails with `OutputError`
 * if not.
 */
export const writable = (directory: string): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  WholeFolder.writable(directory, fileNames)

const filesOf = (contents: Contents): { readonly [name: string]: Uint8Array } => {
  const checked = HuggingFaceWeights.fromTensors(contents.parameters, contents.config)
  if (Result.isFailure(checked))
    throw new RangeError(checked.failure.map(({ tensor, reason }) => `${tensor ?? ""} ${reason}`).join("\n"))
  const json = (value: Json) => new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)
  return {
    [configFile]: json(HuggingFaceConfig.toJson(contents.config)),
    [weightsFile]: weightsOf({ ...contents, parameters: checked.success }),
    ...contents.tokenizerFiles,
    ...(contents.provenance === undefined ? {} : { [provenanceFile]: json(contents.provenance) })
  }
}

/**
 * Reads a Hugging Face directory of a BertForMaskedLM, written here or elsewhere.
 *
 * `key` is the setting that named the directory, for errors. Fails with `ConfigError` where the directory or a file of it is
 * missing and where `config.json` is wrong, with `CheckpointError` where the weights are; all problems of a file at once.
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
  const config = yield* Effect.fromResult(
    HuggingFaceConfig.fromJson(new TextDecoder().decode(yield* readFile(file(configFile))), file(configFile))
  )
  const ignore = HuggingFaceWeights.isUnused
  const bytes = yield* readFile(file(weightsFile))
  const stored = yield* Effect.fromResult(Safetensors.decode(bytes, { file: file(weightsFile), ignore }))
  const parameters = yield* Effect.fromResult(HuggingFaceWeights.fromTensors(stored.values, config)).pipe(
    Effect.mapError(
      (problems) =>
        new CheckpointError({
          file: file(weightsFile),
          problems,
          remedy: `give the folder of a BertForMaskedLM whose ${configFile} belongs to its weights`
        })
    )
  )
  const model = { config, parameters }
  const provenance = yield* readProvenance(file(provenanceFile))
  const tokenizerFiles = yield* readTokenizerFiles(directory)
  return {
    ...model,
    tokenizerFiles,
    ...provenance,
    digest: digest(model),
    ignored: stored.ignored
  } satisfies Checkpoint
})

const expectFiles = Effect.fnUntraced(function* (directory: string, key: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const kind = yield* Effect.orElseSucceed(OutputFolder.kindOf(directory), () => undefined)
  const needed = [configFile, weightsFile]
  const exists = (name: string) => Effect.orElseSucceed(fs.exists(path.join(directory, name)), () => false)
  const missing = yield* Effect.filter(needed, (name) => Effect.map(exists(name), (there) => !there))
  if (missing.length === 0) return
  const state =
    kind === undefined
      ? "there is no such folder"
      : kind === "Directory"
        ? `it has no ${missing.join(" and no ")}`
        : "it is a file"
  return yield* new ConfigError({
    problems: [
      {
        key,
        value: directory,
        bound: `a folder with ${needed.join(" and ")}, but ${state}`,
        remedy: "give the folder of a BertForMaskedLM, or make one with homodistil pretrain"
      }
    ]
  })
})

const unreadable = (file: string, reason: string, remedy: string): CheckpointError =>
  new CheckpointError({ file, problems: [{ reason }], remedy })

const readFile = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(fs.readFile(file), ({ reason: { _tag: kind } }) =>
    unreadable(file, `cannot be read (${kind})`, "make it a readable file, or give another folder")
  )
})

const decodeProvenance = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json))

const readProvenance = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) return {}
  const text = new TextDecoder().decode(yield* readFile(file))
  const provenance: Json = yield* Effect.mapError(decodeProvenance(text), () =>
    unreadable(file, "is not JSON", "correct it, or remove it: a model can be read without")
  )
  return { provenance }
})

/** The bytes of the tokenizer's files in a directory, as far as there are any. Fails with `CheckpointError` where one cannot be read. */
export const readTokenizerFiles = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const files = yield* Effect.forEach(tokenizerFileNames, (name) =>
    Effect.gen(function* () {
      const file = path.join(directory, name)
      const there = yield* Effect.orElseSucceed(fs.exists(file), () => false)
      return there ? [[name, yield* readFile(file)] as const] : []
    })
  )
  const byName: TokenizerFiles = Object.fromEntries(files.flat())
  return byName
})
