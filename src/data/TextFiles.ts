import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ConfigError, type ConfigProblem, Digest, Spec } from "../spec/index.ts"
import { chunkCount } from "./Batches.ts"
import type { SplitName } from "./Corpus.ts"
import type { Dataset } from "./Dataset.ts"
import type { Document } from "./Document.ts"
import * as PieceFile from "./PieceFile.ts"
import type { DocumentBounds } from "./TextSplitter.ts"
import { textDocuments } from "./TextStream.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** What a run takes of a text: rows of `length` pieces to train on, so many rows of `heldOutLength` (64 unless given) to measure on. */
export interface TextNeeds {
  readonly length: number
  readonly validation: number
  readonly test: number
  readonly heldOutLength?: number
}

/** The version of the split by digests, part of the spec. */
const splitName = "by-digest-1"

/**
 * The documents of a plain text, without white space around them; no empty ones.
 *
 * @example
 * ```ts
 * import { documentsOfText } from "homodistil/data"
 * assert.deepEqual(documentsOfText("One.\nTwo.\n\n \nThree.\n", "blocks"), ["One.\nTwo.", "Three."])
 * assert.deepEqual(documentsOfText("One.\n\nThree.\n", "files"), ["One.\n\nThree."])
 * ```
 */
export const documentsOfText = (text: string, bounds: DocumentBounds): ReadonlyArray<string> => {
  const plain = text.replace(/^\uFEFF/, "").replaceAll(/\r\n?/g, "\n")
  return (bounds === "files" ? [plain] : plain.split(/\n[^\S\n]*\n/))
    .map((one) => one.trim())
    .filter((one) => one !== "")
}

/**
 * The split of a document: by its digest alone, one in ten to test and one to validation. More text moves no document to another split,
 * and two copies of one are never on both sides.
 *
 * @example
 * ```ts
 * import { splitOfText } from "homodistil/data"
 * assert.equal(splitOfText("Call me Ishmael."), splitOfText("Call me Ishmael."))
 * ```
 */
export const splitOfText = (text: string): SplitName => splitOfDigest(Digest.ofBytes(text))

const splitOfDigest = (digest: Digest.Digest): SplitName => {
  const tenth = Number.parseInt(digest.slice(0, 8), 16) % 10
  return tenth === 0 ? "test" : tenth === 1 ? "validation" : "train"
}

/** The ids of a text's pieces. */
const piecesOf = (text: string, tokenizer: Tokenizer): ReadonlyArray<number> => {
  const ids: Array<number> = []
  for (const [word] of text.matchAll(/\S+/g)) for (const id of tokenizer.encode(word)) ids.push(id)
  return ids
}

const [noTags, noSentences] = [new Int8Array(0), new Int32Array(0)]

/** A document of plain text: nothing is known of its genre, its sentences and parts of speech. */
const documentOf = ({ digest, ids }: PieceFile.StoredDocument): Document => ({
  file: digest,
  genre: -1,
  ids,
  tags: noTags,
  sentences: noSentences
})

const specOf = (digests: ReadonlyArray<Digest.Digest>, tokenizer: Tokenizer, tasks: Dataset): Spec.Spec =>
  // version: raise it when the same text gives other pieces
  Spec.make("textFiles", {
    version: 1,
    options: { text: Digest.of(digests), split: splitName },
    parts: [tokenizer.spec, tasks.spec]
  })

const datasetFrom = (
  stored: ReadonlyArray<PieceFile.StoredDocument>,
  tokenizer: Tokenizer,
  tasks: Dataset
): Dataset => {
  const documents = stored.map(documentOf)
  const part = (name: SplitName) => documents.filter(({ file }) => splitOfDigest(file) === name)
  const spec = specOf(
    documents.map(({ file }) => file),
    tokenizer,
    tasks
  )
  return {
    spec,
    digest: Digest.of(Spec.toJson(spec)),
    vocabulary: tokenizer.vocabulary,
    special: tokenizer.special,
    ordinary: tokenizer.ordinary,
    documents: { train: part("train"), validation: part("validation"), test: part("test") },
    tasks
  }
}

/**
 * A dataset of one's own documents, cut into pieces and split by digest. Plain text has no genres and no parts of speech, so downstream
 * tasks are made from `tasks`, the Brown corpus in the same pieces, and only what distils and what is held out comes from the text.
 *
 * @example
 * ```ts
 * import { datasetOf, textDataset, tokenizerOfVocabulary } from "homodistil/data"
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const tasks = datasetOf([], { corpus: "none", tokenizer: toy })
 * const { documents, digest } = textDataset(["a b", "b a", "a b"], { tokenizer: toy, tasks })
 * assert.equal(Object.values(documents).flat().length, 2)
 * assert.equal(textDataset(["b a", "a b"], { tokenizer: toy, tasks }).digest, digest)
 * ```
 */
export const textDataset = (
  documents: ReadonlyArray<string>,
  { tokenizer, tasks }: { readonly tokenizer: Tokenizer; readonly tasks: Dataset }
): Dataset =>
  datasetFrom(
    inMemory(new Map(documents.map((text) => [Digest.ofBytes(text), piecesOf(text, tokenizer)]))),
    tokenizer,
    tasks
  )

/** Documents by digest, so that neither the order of files nor copies count. */
const inMemory = (pieces: ReadonlyMap<Digest.Digest, ReadonlyArray<number>>): ReadonlyArray<PieceFile.StoredDocument> =>
  [...pieces]
    .map(([digest, ids]) => ({ digest, ids: Int32Array.from(ids) }))
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))

/** What a dataset lacks for a run, one problem a split. */
export const lacking = (dataset: Dataset, needs: TextNeeds): ReadonlyArray<ConfigProblem> => {
  const { heldOutLength = 64 } = needs
  const inner = needs.length - 2
  const long = dataset.documents.train.filter(({ ids }) => ids.length >= inner)
  const problem = (value: string, bound: string, remedy: string): ConfigProblem => ({
    key: "--text",
    value,
    bound,
    remedy
  })
  const held = (split: "validation" | "test"): ReadonlyArray<ConfigProblem> => {
    const there = chunkCount(dataset, split, heldOutLength)
    return there >= needs[split]
      ? []
      : [
          problem(
            `text for ${there} ${split} rows of ${heldOutLength} pieces`,
            `text for at least ${needs[split]}: a tenth of the documents goes to ${split}`,
            there === 0
              ? "give more documents, apart by blank lines"
              : `give about ${Math.ceil(needs[split] / there)} times as much text`
          )
        ]
  }
  return [
    ...(long.length > 0
      ? []
      : [
          problem(
            `${dataset.documents.train.length} training documents, none of ${inner} pieces`,
            `text with documents of at least ${inner} pieces, what a row of ${needs.length} takes`,
            "give longer documents; a blank line ends one"
          )
        ]),
    ...held("validation"),
    ...held("test")
  ]
}

/** The digests of all documents, in order; `ConfigError` names every file that cannot be read. */
const digestsOf = (files: ReadonlyArray<string>, bounds: DocumentBounds) =>
  Effect.gen(function* () {
    const seen = new Set<Digest.Digest>()
    const results = yield* Effect.forEach(files, (file) =>
      textDocuments(file, bounds).pipe(
        Stream.runForEach((text) => Effect.sync(() => seen.add(Digest.ofBytes(text)))),
        Effect.result
      )
    )
    const problems = results.flatMap((result) => (Result.isFailure(result) ? result.failure.problems : []))
    if (problems.length > 0) return yield* new ConfigError({ problems })
    return [...seen].sort()
  })

/** The pieces of all different documents of the files, one after another. */
const newDocuments = (files: ReadonlyArray<string>, bounds: DocumentBounds, tokenizer: Tokenizer) =>
  Stream.suspend(() => {
    const seen = new Set<Digest.Digest>()
    return Stream.fromIterable(files).pipe(
      Stream.flatMap((file) => textDocuments(file, bounds)),
      Stream.map((text) => ({ digest: Digest.ofBytes(text), text })),
      Stream.filter(({ digest }) => {
        const isNew = !seen.has(digest)
        seen.add(digest)
        return isNew
      }),
      Stream.map(({ digest, text }): PieceFile.NewDocument => ({ digest, ids: piecesOf(text, tokenizer) }))
    )
  })

const changed = (files: ReadonlyArray<string>): ConfigError =>
  new ConfigError({
    problems: [
      {
        key: "--text",
        value: files.join(","),
        bound: "files that stay as they are while they are read",
        remedy: "start again once nothing writes to them"
      }
    ]
  })

/**
 * Reads texts into a dataset: plain or as JSON lines, packed by gzip or not (`textDocuments`); identical documents count once.
 *
 * The files are streamed, once for what they hold and, where the cache has not got their pieces, once to cut them; the pieces lie in a file
 * of the cache and are read from there batch by batch, so a corpus may be larger than memory. Without a cache, or where it cannot be
 * written, they are kept in memory.
 *
 * Fails with `ConfigError`, which names every file that is unreadable, not UTF-8 or damaged, or every split that has too little for `needs`.
 */
export const loadTextFiles = Effect.fn("loadTextFiles")(function* (options: {
  readonly files: ReadonlyArray<string>
  readonly tokenizer: Tokenizer
  /** What downstream tasks are made from: the Brown corpus in the same pieces (`loadDataset`). */
  readonly tasks: Dataset
  readonly needs: TextNeeds
  readonly bounds?: DocumentBounds
  readonly cache?: string | false
}) {
  const path = yield* Path.Path
  const { files, tokenizer, tasks, needs, bounds = "blocks", cache = ".cache" } = options
  const digests = yield* digestsOf(files, bounds)
  const documents = newDocuments(files, bounds, tokenizer)
  const inHand = documents.pipe(
    Stream.runFold(
      () => new Map<Digest.Digest, ReadonlyArray<number>>(),
      (all, { digest, ids }) => all.set(digest, ids)
    ),
    Effect.map(inMemory)
  )
  const key = Digest.of(Spec.toJson(specOf(digests, tokenizer, tasks)))
  const stored =
    cache === false
      ? yield* inHand
      : yield* kept(path.join(cache, `text-${Digest.short(key)}.pieces`), documents, tokenizer).pipe(
          Effect.flatMap((found) => (found === undefined ? inHand : Effect.succeed(found)))
        )
  if (stored.length !== digests.length || stored.some(({ digest }, i) => digest !== digests[i]))
    return yield* changed(files)
  const dataset = datasetFrom(stored, tokenizer, tasks)
  const problems = lacking(dataset, needs)
  return problems.length > 0 ? yield* new ConfigError({ problems }) : dataset
})

/** The documents of a file of the cache, written there before if need be; `undefined` where that cannot be done. */
const kept = <E, R>(file: string, documents: Stream.Stream<PieceFile.NewDocument, E, R>, tokenizer: Tokenizer) =>
  Effect.gen(function* () {
    const found = yield* PieceFile.read(file)
    if (found !== undefined) return found
    yield* PieceFile.write(file, documents, tokenizer.vocabulary.length)
    return yield* PieceFile.read(file)
  }).pipe(
    Effect.catchIf(
      (error) => error instanceof PlatformError,
      (error) => Effect.as(Effect.logDebug(`the pieces are not kept in ${file}: ${error.message}`), undefined)
    )
  )
