import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { tokenizerDefinition } from "../data/index.ts"
import type { BertConfig } from "../model/index.ts"
import type { JsonObject } from "../spec/index.ts"
import type { CheckpointError } from "./CheckpointError.ts"
import * as HuggingFaceConfig from "./HuggingFaceConfig.ts"
import * as InputFile from "./InputFile.ts"

/** The files of a Hugging Face directory beside the weights. */
export const files = { config: "config.json", provenance: "provenance.json", card: "README.md" } as const

/** The files by which a tokenizer travels with a model. */
export const tokenizerFileNames = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.txt",
  "special_tokens_map.json"
] as const

/** The bytes of a tokenizer's files. */
export type TokenizerFiles = { readonly [name in (typeof tokenizerFileNames)[number]]?: Uint8Array }

/** The bytes of the tokenizer's files in a directory, as far as there are any. Fails with `CheckpointError` where one cannot be read. */
export const readTokenizerFiles = (
  directory: string
): Effect.Effect<TokenizerFiles, CheckpointError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const found = yield* Effect.forEach(tokenizerFileNames, (name) =>
      Effect.gen(function* () {
        const file = path.join(directory, name)
        return (yield* InputFile.exists(file)) ? [[name, yield* InputFile.read(file, 2 ** 26)] as const] : []
      })
    )
    const byName: TokenizerFiles = Object.fromEntries(found.flat())
    return byName
  })

/** The id of the piece that pads, by a tokenizer's files; `undefined` where they are none of a BERT, or lack that piece. */
const padTokenIdOf = (tokenizer: TokenizerFiles): number | undefined =>
  Result.match(tokenizerDefinition(tokenizer), {
    onFailure: () => undefined,
    onSuccess: ({ vocabulary, names }) => {
      const id = vocabulary.lastIndexOf(names.pad)
      return id < 0 ? undefined : id
    }
  })

/** What decides the `config.json` of a directory. */
export interface Configured {
  readonly config: BertConfig.BertConfig
  readonly tokenizerFiles?: TokenizerFiles
  /** The id of the piece that pads, where no tokenizer tells it; 0 unless given. */
  readonly padTokenId?: HuggingFaceConfig.PadTokenId
}

/**
 * The `config.json` of a model that is written with its tokenizer's files: `HuggingFaceConfig.toJson`, with the id of the tokenizer's own
 * padding piece.
 *
 * @example
 * ```ts
 * import { HuggingFace } from "homodistil/checkpoint"
 * import { BertConfig } from "homodistil/model"
 * const bytes = new TextEncoder().encode("[UNK]\n[CLS]\n[SEP]\n[MASK]\n[PAD]\na\n")
 * const json = HuggingFace.configJson({ config: BertConfig.micro, tokenizerFiles: { "vocab.txt": bytes } })
 * assert.equal(json["pad_token_id"], 4)
 * ```
 */
export const configJson = ({ config, tokenizerFiles = {}, padTokenId }: Configured): JsonObject =>
  HuggingFaceConfig.toJson(config, padTokenIdOf(tokenizerFiles) ?? padTokenId)
