import * as Effect from "effect/Effect"
import { HuggingFace } from "../checkpoint/index.ts"
import { expectVocabulary, loadDataset, loadTextFiles, tokenizerDirectory, tokenizerOfJson } from "../data/index.ts"
import { ConfigError, type Json } from "../spec/index.ts"

/** The tokenizer's files of a model, or those that ship with homodistil where it has none. */
const tokenizerFilesOf = (own: HuggingFace.TokenizerFiles) =>
  own["tokenizer.json"] === undefined
    ? Effect.flatMap(tokenizerDirectory, HuggingFace.readTokenizerFiles)
    : Effect.succeed(own)

const text = (bytes: Uint8Array | undefined): string => (bytes === undefined ? "{}" : new TextDecoder().decode(bytes))

/** The digest of the vocabulary that a model says it was trained with. */
const vocabularyOf = (provenance: Json | undefined): { readonly digest?: string } => {
  if (typeof provenance !== "object" || provenance === null) return {}
  const digest: unknown = Reflect.get(provenance, "tokenizer")
  return typeof digest === "string" ? { digest } : {}
}

/** Text of the user's to distil on, and how many held-out rows it must have. */
export interface OwnText {
  readonly files: ReadonlyArray<string>
  readonly validation: number
  readonly test: number
}

/**
 * A teacher from a Hugging Face directory, with the corpus cut into the pieces it knows: by its own tokenizer, or the one that
 * ships with homodistil where the directory has none.
 *
 * Fails where the directory cannot be read (`ConfigError`, `CheckpointError`), its vocabulary is not the tokenizer's
 * (`TokenizerMismatch`), rows of `length` pieces are too long for it, the corpus is missing (`CorpusError`), or a text of the user's is
 * unreadable or too short (`ConfigError`). Downstream tasks are made from Brown whatever the text.
 */
export const load = Effect.fnUntraced(function* (directory: string, length: number, own?: OwnText) {
  const checkpoint = yield* HuggingFace.read(directory, "--teacher")
  const { config, parameters, digest } = checkpoint
  const tokenizerFiles = yield* tokenizerFilesOf(checkpoint.tokenizerFiles)
  const tokenizer = yield* tokenizerOfJson(
    text(tokenizerFiles["tokenizer.json"]),
    text(tokenizerFiles["tokenizer_config.json"])
  )
  yield* expectVocabulary(tokenizer, {
    by: "the teacher",
    size: config.vocabSize,
    ...vocabularyOf(checkpoint.provenance)
  })
  if (config.positions < length)
    return yield* new ConfigError({
      problems: [
        {
          key: "--teacher",
          value: directory,
          bound: `a model of at least ${length} positions; it has ${config.positions}`,
          remedy: "give a teacher that was trained on rows of that length"
        }
      ]
    })
  const brown = yield* loadDataset({ tokenizer })
  const dataset =
    own === undefined || own.files.length === 0
      ? brown
      : yield* loadTextFiles({
          files: own.files,
          tokenizer,
          tasks: brown,
          needs: { length, validation: own.validation, test: own.test }
        })
  return { model: { config, parameters }, digest, dataset, tokenizer, tokenizerFiles }
})
