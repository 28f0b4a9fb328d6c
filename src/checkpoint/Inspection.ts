import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Tensor } from "../backend/index.ts"
import type { BertConfig } from "../model/index.ts"
import type { Json } from "../spec/index.ts"
import { readable } from "./elements.ts"
import * as HuggingFaceConfig from "./HuggingFaceConfig.ts"
import { files, readTokenizerFiles, type TokenizerFiles } from "./HuggingFaceFiles.ts"
import { expectFiles, readProvenance } from "./HuggingFaceReader.ts"
import * as HuggingFaceWeights from "./HuggingFaceWeights.ts"
import * as InputFile from "./InputFile.ts"
import type { Region } from "./SafetensorsHeader.ts"
import * as WeightFiles from "./WeightFiles.ts"

/** What the headers of a checkpoint tell. */
export interface Inspection {
  readonly config: BertConfig.BertConfig
  /** The classes its `config.json` names. */
  readonly architectures: ReadonlyArray<string>
  /** The files of weights, with their sizes in bytes. */
  readonly files: ReadonlyArray<{ readonly name: string; readonly bytes: number }>
  /** How many numbers are stored in each element type, by safetensors' names; ignored tensors do not count. */
  readonly stored: { readonly [dtype: string]: number }
  /** Whether BERT's pooler is there. */
  readonly pooler: boolean
  /** Tensors of the files that neither the encoder, its pooler nor its masked-language-model head has a use for, sorted. */
  readonly ignored: ReadonlyArray<string>
  readonly tokenizerFiles: TokenizerFiles
  readonly provenance?: Json
}

const decodeArchitectures = Schema.decodeUnknownResult(
  Schema.fromJsonString(Schema.Struct({ architectures: Schema.Array(Schema.String) }))
)

const architecturesOf = (text: string): ReadonlyArray<string> =>
  Result.match(decodeArchitectures(text), { onFailure: () => [], onSuccess: ({ architectures }) => architectures })

const dtypeOf = ({ elements }: Region): string | undefined =>
  Object.keys(readable).find((name) => elements !== undefined && readable[name] === elements)

const storedIn = (regions: ReadonlyArray<Region>): Inspection["stored"] => {
  const counts = new Map<string, number>()
  for (const region of regions) {
    const dtype = dtypeOf(region)
    if (dtype !== undefined) counts.set(dtype, (counts.get(dtype) ?? 0) + Tensor.elements(region.shape))
  }
  return Object.fromEntries(counts)
}

/**
 * What a Hugging Face directory of a BERT holds, told from its configuration and the headers of its weights: no weight is read, so that a
 * large checkpoint takes no longer than a small one. A decoder counts as one of its own where `config.json` says so; only its values could
 * tell whether it equals the word embedding.
 *
 * Fails as `HuggingFace.read`, but for what only values show.
 *
 * @example
 * ```ts
 * import { Inspection } from "homodistil/checkpoint"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * const { config, stored } = await Effect.runPromise(Inspection.read("assets/teacher").pipe(Effect.provide(NodeServices.layer)))
 * assert.deepEqual([config.layers, stored], [4, { F32: 1346944 }])
 * ```
 */
export const read = Effect.fn("Inspection.read")(function* (directory: string, key: string = "folder") {
  const path = yield* Path.Path
  const file = (name: string) => path.join(directory, name)
  yield* expectFiles(directory, key)
  const text = new TextDecoder().decode(yield* InputFile.read(file(files.config), 2 ** 20))
  const given = yield* Effect.fromResult(HuggingFaceConfig.fromJson(text, file(files.config)))
  const weights = yield* Effect.scoped(WeightFiles.open(directory))
  const { config, pooler, ignored } = yield* Effect.fromResult(HuggingFaceWeights.plan(given, weights))
  const sizes = yield* Effect.forEach(weights.files, (each) =>
    Effect.map(InputFile.size(each.file), (bytes) => ({ name: path.basename(each.file), bytes }))
  )
  return {
    config,
    architectures: architecturesOf(text),
    files: sizes,
    stored: storedIn(weights.files.flatMap(({ regions }) => regions)),
    pooler: pooler.length > 0,
    ignored: [...ignored, ...weights.unused].sort(),
    tokenizerFiles: yield* readTokenizerFiles(directory),
    ...(yield* readProvenance(file(files.provenance)))
  } satisfies Inspection
})
