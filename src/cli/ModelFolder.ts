import * as Effect from "effect/Effect"
import { HuggingFace } from "../checkpoint/index.ts"
import { expectVocabulary, tokenizerDirectory, tokenizerOfFiles } from "../data/index.ts"
import type { Model } from "../model/index.ts"
import type { Json } from "../spec/index.ts"

/** The digest of the vocabulary that a model says it was trained with. */
const vocabularyOf = (provenance: Json | undefined): { readonly digest?: string } => {
  if (typeof provenance !== "object" || provenance === null) return {}
  const digest: unknown = Reflect.get(provenance, "tokenizer")
  return typeof digest === "string" ? { digest } : {}
}

/**
 * A model of a Hugging Face directory with its tokenizer: its own (`tokenizer.json`, or `vocab.txt` alone), or the one that ships with
 * homodistil where the directory has none. `key` is the setting that names the directory.
 *
 * Fails where the directory cannot be read (`ConfigError`, `CheckpointError`), or the model's vocabulary is not the tokenizer's
 * (`TokenizerMismatch`).
 */
export const read = Effect.fnUntraced(function* (directory: string, key: string) {
  const {
    config,
    parameters,
    pooler,
    digest,
    provenance,
    tokenizerFiles: given
  } = yield* HuggingFace.read(directory, key)
  const own = given["tokenizer.json"] !== undefined || given["vocab.txt"] !== undefined
  const folder = own ? directory : yield* tokenizerDirectory
  const tokenizerFiles = own ? given : yield* HuggingFace.readTokenizerFiles(folder)
  const tokenizer = yield* tokenizerOfFiles(tokenizerFiles, folder)
  yield* expectVocabulary(tokenizer, {
    by: key === "--teacher" ? "the teacher" : "the model",
    size: config.vocabSize,
    padded: own,
    ...vocabularyOf(provenance)
  })
  const model: Model.Model = { config, parameters, ...(pooler === undefined ? {} : { pooler }) }
  return { model, digest, tokenizer, tokenizerFiles }
})
