import * as Effect from "effect/Effect"
import { loadTexts } from "../data/index.ts"
import { Head } from "../model/index.ts"
import { ConfigError } from "../spec/index.ts"
import * as ModelFolder from "./ModelFolder.ts"

/** Text of the user's to distil on, and how many held-out rows it must have. */
export interface OwnText {
  readonly files: ReadonlyArray<string>
  readonly validation: number
  readonly test: number
}

/** The setting that names the directory, for errors; whether a bare encoder will do, and if not, what needs the head and what can be done. */
export interface LoadOptions {
  readonly key?: string
  readonly bare?: boolean
  readonly needs?: string
  readonly remedy?: string
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
  const { key = "--teacher", bare = false, needs = "distillation", remedy } = o
  const { model, digest, tokenizer, tokenizerFiles } = yield* ModelFolder.read(directory, key)
  const { config } = model
  if (!bare) yield* Effect.fromResult(Head.check(config, needs, key, directory, remedy))
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
  const { files: names, ...held } = text ?? { files: [], validation: 0, test: 0 }
  const dataset = yield* loadTexts({ names, tokenizer, needs: { length, ...held } })
  return { model, digest, dataset, tokenizer, tokenizerFiles }
})
