import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { Head } from "../../model/index.ts"
import { ConfigError, type Digest, type Json, type OutputError } from "../../spec/index.ts"
import { configJson, type Configured, tokenizerFileNames } from "../HuggingFaceFiles.ts"
import type { Weights } from "../HuggingFaceWeights.ts"
import * as WholeFolder from "../WholeFolder.ts"
import { bert, inputs, outputName, type Precision, type Task } from "./bert.ts"
import { encode } from "./encode.ts"

/** What is exported: a model, what its graph shall give, and how it came to be. */
export interface Exported extends Weights, Configured {
  readonly task: Task
  /** Whether a graph of int8 weights is written beside the one of float32. */
  readonly int8?: boolean
  /** The version of the program that writes. */
  readonly version: string
  /** The digest of the model that is exported. */
  readonly digest: Digest.Digest
  readonly provenance?: Json
}

/** The files of the graphs, as other programs look for them. */
export const graphFiles: { readonly [precision in Precision]: string } = {
  float32: "onnx/model.onnx",
  int8: "onnx/model_quantized.onnx"
}

const configFile = "config.json"
const provenanceFile = "provenance.json"
const fileNames = [configFile, provenanceFile, ...tokenizerFileNames, ...Object.values(graphFiles)]

/** An ONNX file of a model, in parts that follow one another: the graph, its names, and notes on where the model came from. */
export const graphOf = (o: Exported, precision: Precision): ReadonlyArray<Uint8Array> =>
  encode(bert(o, o.task, precision), {
    inputs: inputs.map((name) => ({ name, type: "int64", shape: ["batch_size", "sequence_length"] })),
    outputs: [
      {
        name: outputName(o.task),
        type: "float32",
        shape: ["batch_size", "sequence_length", o.task === "masked-lm" ? o.config.vocabSize : o.config.hidden]
      }
    ],
    producer: { name: "homodistil", version: o.version },
    metadata: {
      model: o.digest,
      task: o.task,
      precision,
      ...(o.provenance === undefined ? {} : { provenance: JSON.stringify(o.provenance) })
    }
  })

const refuse = (key: string, value: string, bound: string, remedy: string) =>
  Effect.fail(new ConfigError({ problems: [{ key, value, bound, remedy }] }))

/**
 * Finds out whether a model can give what a task asks for: every model has features, only one with a masked-language-model head has
 * logits. Fails with `ConfigError`.
 */
export const possible = ({ config }: Pick<Weights, "config">, task: Task): Effect.Effect<void, ConfigError> =>
  !Head.present(config) && task === "masked-lm"
    ? refuse(
        "--task",
        task,
        "features for a model without a masked-language-model head",
        "use --task features, or train a head first with homodistil adapt"
      )
    : Effect.void

/** Finds out whether a file of so many bytes can be: one of Protocol Buffers is below 2 GiB. Fails with `ConfigError` if not. */
export const fits = (name: string, bytes: number): Effect.Effect<void, ConfigError> =>
  bytes < 2 ** 31
    ? Effect.void
    : refuse(name, `${bytes} bytes`, "below 2 GiB, as every ONNX file", "export a smaller student of this model")

/**
 * Writes a model as a directory that `@huggingface/transformers` loads in Node and whose `onnx/model.onnx` ONNX Runtime runs anywhere:
 * batch and length are open, `input_ids`, `attention_mask` and `token_type_ids` are int64 [batch, length], the output is `logits`
 * [batch, length, vocab] or `last_hidden_state` [batch, length, hidden], in float32. Any widths will do.
 *
 * The directory is whole, or as it was before. Fails with `ConfigError` for logits of a model without a head and for a file of 2 GiB or
 * more, with `OutputError` where the directory cannot be written. Equal models give equal bytes.
 *
 * @example
 * ```ts
 * import { Onnx } from "homodistil/checkpoint"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Digest, Seed } from "homodistil/spec"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * const config = BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const program = Effect.gen(function* () {
 *   const fs = yield* FileSystem.FileSystem
 *   const directory = `${yield* fs.makeTempDirectoryScoped()}/exported`
 *   yield* Onnx.write(directory, { config, parameters, task: "features", version: "1", digest: Digest.of({}) })
 *   return yield* fs.readDirectory(directory)
 * })
 * const files = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepEqual(files.sort(), ["config.json", "onnx"])
 * ```
 */
export const write = Effect.fnUntraced(function* (directory: string, o: Exported) {
  yield* possible(o, o.task)
  const json = (value: Json) => new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)
  const precisions: ReadonlyArray<Precision> = o.int8 === true ? ["float32", "int8"] : ["float32"]
  const graphs = precisions.map((precision) => [graphFiles[precision], graphOf(o, precision)] as const)
  const sizes = graphs.map(([name, parts]) => ({ name, bytes: parts.reduce((sum, { length }) => sum + length, 0) }))
  yield* Effect.forEach(sizes, ({ name, bytes }) => fits(name, bytes))
  const architecture = o.task === "masked-lm" ? "BertForMaskedLM" : "BertModel"
  yield* WholeFolder.write(
    directory,
    {
      [configFile]: json({ ...configJson(o), architectures: [architecture] }),
      ...Object.fromEntries(graphs),
      ...o.tokenizerFiles,
      ...(o.provenance === undefined ? {} : { [provenanceFile]: json(o.provenance) })
    },
    fileNames
  )
  return sizes
})

/** Finds out whether an export could be written there: to be asked before a model is read for it. Fails with `OutputError` if not. */
export const writable = (directory: string): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  WholeFolder.writable(directory, fileNames)
