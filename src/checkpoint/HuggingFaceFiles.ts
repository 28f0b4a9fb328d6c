import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { CheckpointError } from "./CheckpointError.ts"
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
