import * as Effect from "effect/Effect"
import { HuggingFace } from "../checkpoint/index.ts"
import { expectVocabulary, loadDataset, loadTextFiles, tokenizerDirectory, tokenizerOfFiles } from "../data/index.ts"
import { Head } from "../model/index.ts"
import { ConfigError, type Json } from "../spec/index.ts"

/** Whether a model brings a tokenizer of its own. */
const hasTokenizer = (own: HuggingFace.TokenizerFiles): boolean =>
  own["tokenizer.json"] !== undefined || own["vocab.txt"] !== undefined

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

/** The setting that names the directory, for errors, and whether a bare encoder will do. */
export interface LoadOptions {
  readonly key?: string
  readonly bare?: boolean
}

/**
 * A teacher from a Hugging Face directory, with the corpus cut into the pieces it knows: by its own tokenizer (`tokenizer.json`, or
 * `vocab.txt` alone), or the one that ships with homodistil where the directory has none.
 *
 * Fails where the directory cannot be read (`ConfigError`, `CheckpointError`), it has no masked-language-model head, its vocabulary is not the tokenizer's
 * (`TokenizerMismatch`), rows of `length` pieces are too long for it, the corpus is missing (`CorpusError`), or a text of the user's is
 * unreadable or too short (`ConfigError`). Downstream tasks are made from Brown whatever the text.
 */
export const load = Effect.fnUntraced(function* (
  directory: string,
  length: number,
  text?: OwnText,
  o: LoadOptions = {}
) {
  const { key = "--teacher", bare = false } = o
  const checkpoint = yield* HuggingFace.read(directory, key)
  const { config, parameters, digest } = checkpoint
  if (!bare) yield* Effect.fromResult(Head.check(config, "distillation", key, directory))
  const own = hasTokenizer(checkpoint.tokenizerFiles)
  const folder = own ? directory : yield* tokenizerDirectory
  const tokenizerFiles = own ? checkpoint.tokenizerFiles : yield* HuggingFace.readTokenizerFiles(folder)
  const tokenizer = yield* tokenizerOfFiles(tokenizerFiles, folder)
  yield* expectVocabulary(tokenizer, {
    by: "the teacher",
    size: config.vocabSize,
    padded: own,
    ...vocabularyOf(checkpoint.provenance)
  })
  if (config.positions < length)
    return yield* new ConfigError({
      problems: [
        {
          key,
          value: directory,
          bound: `a model of at least ${length} positions; it has ${config.positions}`,
          remedy: "give a teacher that was trained on rows of that length"
        }
      ]
    })
  const brown = yield* loadDataset({ tokenizer })
  const dataset =
    text === undefined || text.files.length === 0
      ? brown
      : yield* loadTextFiles({
          files: text.files,
          tokenizer,
          tasks: brown,
          needs: { length, validation: text.validation, test: text.test }
        })
  return { model: { config, parameters }, digest, dataset, tokenizer, tokenizerFiles }
})
