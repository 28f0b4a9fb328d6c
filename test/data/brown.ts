import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import { brownDirectory, type CorpusText, readCorpus } from "../../src/data/Corpus.ts"
import { datasetOf, type Dataset } from "../../src/data/Dataset.ts"
import type { Document } from "../../src/data/Document.ts"
import { Seed } from "../../src/spec/index.ts"
import { loadTokenizer, tokenizerOfVocabulary, type Tokenizer, tokenizerDirectory } from "../../src/data/Tokenizer.ts"

/** Runs an effect on this machine's files. */
export const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(NodeServices.layer)))

/** The real corpus and the committed tokenizer. */
export const real: Effect.Effect<
  { readonly corpus: CorpusText; readonly tokenizer: Tokenizer },
  unknown,
  FileSystem.FileSystem | Path.Path
> = Effect.gen(function* () {
  const corpus = yield* readCorpus(yield* brownDirectory)
  const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
  return { corpus, tokenizer }
})

const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 95 }, (_, i) => `w${i + 5}`)]

/** A tokenizer that reads `w5` … `w99`, one piece each, and two pieces of `w5w6`. */
export const toyTokenizer = tokenizerOfVocabulary(vocabulary, (word) =>
  [...word.matchAll(/w(\d+)/g)].map((match) => Number(match[1]))
)

/** A document of pieces, all first pieces of nouns, in sentences of ten. */
export const toyDocument = (file: string, ids: ReadonlyArray<number>): Document => ({
  file,
  genre: 0,
  ids: Int32Array.from(ids),
  tags: new Int8Array(ids.length),
  sentences: Int32Array.from([
    ...Array.from({ length: Math.ceil(ids.length / 10) }, (_, sentence) => sentence * 10),
    ids.length
  ])
})

/** A dataset of one genre: file number f has `sizes[f]` random pieces. */
export const toyDataset = (sizes: ReadonlyArray<number>): Dataset =>
  datasetOf(
    sizes.map((size, f) => {
      const file = `ca${String(f).padStart(2, "0")}`
      return toyDocument(
        file,
        [...Seed.integers(Seed.make(file), size, 95)].map((id) => id + 5)
      )
    }),
    { corpus: "toy", tokenizer: toyTokenizer }
  )
