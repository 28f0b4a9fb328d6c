import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { Json, OutputError } from "../spec/index.ts"
import { configJson, type Configured, files as names, tokenizerFileNames } from "./HuggingFaceFiles.ts"
import * as HuggingFaceWeights from "./HuggingFaceWeights.ts"
import * as ModelCard from "./ModelCard.ts"
import * as Safetensors from "./Safetensors.ts"
import { single } from "./WeightFiles.ts"
import * as WholeFolder from "./WholeFolder.ts"

export { configJson, readTokenizerFiles, tokenizerFileNames, type TokenizerFiles } from "./HuggingFaceFiles.ts"
export { type Checkpoint, digest, read } from "./HuggingFaceReader.ts"

/** What is written: a model, the tokenizer it was trained with, and how it came to be. */
export interface Contents extends HuggingFaceWeights.Weights, Configured {
  /** How the model was made: command, seed, digest of the data, measures. */
  readonly provenance?: Json
  /** What the model card tells besides the model's shape; without it none is written. */
  readonly card?: ModelCard.Card
}

const fileNames: ReadonlyArray<string> = [...Object.values(names), single, ...tokenizerFileNames]

/**
 * Writes a model as a Hugging Face directory of a BertForMaskedLM, or of a BertModel where there is no head: `config.json`,
 * `model.safetensors` (a tied decoder is not repeated, any pooler is there), the tokenizer's files, `provenance.json` and a model card,
 * `README.md`.
 *
 * Any widths are written; `transformers` loads the directory if `HuggingFaceWidths.problem` has nothing to say, and the factor on
 * attention scores is the usual one (`HuggingFaceWeights.withUsualScale`). Otherwise only homodistil reads it back, by the `homodistil`
 * object of its `config.json`.
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

const filesOf = (contents: Contents): WholeFolder.Files => {
  const problems = HuggingFaceWeights.misfits(contents)
  if (problems.length > 0)
    throw new RangeError(problems.map(({ tensor, reason }) => `${tensor ?? ""} ${reason}`).join("\n"))
  const text = (lines: string) => new TextEncoder().encode(lines)
  const json = (value: Json) => text(`${JSON.stringify(value, undefined, 2)}\n`)
  const { card, provenance } = contents
  return {
    [names.config]: json(configJson(contents)),
    [single]: Safetensors.encodeParts(HuggingFaceWeights.toTensors(contents), { format: "pt" }),
    ...contents.tokenizerFiles,
    ...(provenance === undefined ? {} : { [names.provenance]: json(provenance) }),
    ...(card === undefined ? {} : { [names.card]: text(ModelCard.text(contents, card)) })
  }
}
