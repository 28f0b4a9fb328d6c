import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { ConfigError, type ConfigProblem, Digest, Spec } from "../spec/index.ts"
import { chunkCount } from "./Batches.ts"
import type { SplitName } from "./Corpus.ts"
import type { Dataset } from "./Dataset.ts"
import * as PieceFile from "./PieceFile.ts"
import { partsInHand, partsOf, splitOfDigest, type TextParts } from "./TextParts.ts"
import type { DocumentBounds } from "./TextSplitter.ts"
import { textDocuments } from "./TextStream.ts"
import { isCopy, surveyTexts, type TextSurvey } from "./TextSurvey.ts"
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

/** The ids of a text's pieces. */
const piecesOf = (text: string, tokenizer: Tokenizer): Int32Array => {
  let ids = new Int32Array(1024)
  let length = 0
  for (const [word] of text.matchAll(/\S+/g)) {
    const pieces = tokenizer.encode(word)
    if (length + pieces.length > ids.length) {
      const longer = new Int32Array(2 * ids.length + pieces.length)
      longer.set(ids)
      ids = longer
    }
    ids.set(pieces, length)
    length += pieces.length
  }
  return ids.slice(0, length)
}

const specOf = (text: Digest.Digest, tokenizer: Tokenizer, tasks: Dataset): Spec.Spec =>
  // version: raise it when the same text gives other pieces
  Spec.make("textFiles", {
    version: 1,
    options: { text, split: splitName },
    parts: [tokenizer.spec, tasks.spec]
  })

const datasetFrom = ({ text, documents }: TextParts, tokenizer: Tokenizer, tasks: Dataset): Dataset => {
  const spec = specOf(text, tokenizer, tasks)
  return {
    spec,
    digest: Digest.of(Spec.toJson(spec)),
    vocabulary: tokenizer.vocabulary,
    special: tokenizer.special,
    ordinary: tokenizer.ordinary,
    documents,
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
    inHand(new Map(documents.map((text) => [Digest.ofBytes(text), piecesOf(text, tokenizer)]))),
    tokenizer,
    tasks
  )

/** Documents by digest, so that neither the order of files nor copies count. */
const inHand = (pieces: ReadonlyMap<Digest.Digest, Int32Array>): TextParts =>
  partsInHand([...pieces].map(([digest, ids]) => ({ digest, ids })).sort((a, b) => (a.digest < b.digest ? -1 : 1)))

/** What a dataset lacks for a run, one problem a split. */
export const lacking = (dataset: Dataset, needs: TextNeeds): ReadonlyArray<ConfigProblem> => {
  const { heldOutLength = 64 } = needs
  const inner = needs.length - 2
  let anyLong = false
  for (const { ids } of dataset.documents.train) anyLong ||= ids.length >= inner
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
    ...(anyLong
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

/** The pieces of all different documents of the files, one after another. */
const newDocuments = (
  files: ReadonlyArray<string>,
  { bounds, copies, tokenizer }: Pick<TextSurvey, "copies"> & { bounds: DocumentBounds; tokenizer: Tokenizer }
) =>
  Stream.suspend(() => {
    let count = 0
    return Stream.fromIterable(files).pipe(
      Stream.flatMap((file) => textDocuments(file, bounds)),
      Stream.filter(() => !isCopy(copies, count++)),
      Stream.map((text): PieceFile.NewDocument => ({ digest: Digest.ofBytes(text), ids: piecesOf(text, tokenizer) }))
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
 * The files are streamed, once for what they hold and, where the cache has not got their pieces, once to cut them. Pieces and index lie in a
 * file of the cache and are read from there batch by batch; of a document, eight bytes and a bit are remembered (its number and length, and
 * while it is read whether it is a copy), eight more by `trainingBatches`. So a corpus may be larger than memory, but no document: one of more than
 * 67,108,864 characters is refused. Without a cache, or where it cannot be written, all pieces are kept in memory.
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
  /** How many documents are put in order in memory at a time; `RecordSort`'s unless given. */
  readonly room?: number
}) {
  const path = yield* Path.Path
  const { files, tokenizer, tasks, needs, bounds = "blocks", cache = ".cache" } = options
  const room = options.room === undefined ? {} : { room: options.room }
  const survey = yield* surveyTexts(files, { bounds, ...room, folder: cache === false ? undefined : cache })
  const documents = newDocuments(files, { bounds, copies: survey.copies, tokenizer })
  const held = documents.pipe(
    Stream.runFold(
      () => new Map<Digest.Digest, Int32Array>(),
      (all, { digest, ids }) => all.set(digest, Int32Array.from(ids))
    ),
    Effect.map(inHand)
  )
  const key = Digest.of(Spec.toJson(specOf(survey.digest, tokenizer, tasks)))
  const parts =
    cache === false
      ? yield* held
      : yield* kept(path.join(cache, `text-${Digest.short(key)}.pieces`), {
          text: survey.digest,
          write: (file) => PieceFile.write(file, documents, tokenizer.vocabulary.length, options.room)
        }).pipe(Effect.flatMap((found) => (found === undefined ? held : Effect.succeed(found))))
  if (parts.text !== survey.digest) return yield* changed(files)
  const dataset = datasetFrom(parts, tokenizer, tasks)
  const problems = lacking(dataset, needs)
  return problems.length > 0 ? yield* new ConfigError({ problems }) : dataset
})

/** The documents of a file of the cache, if it is whole. */
const found = (file: string) =>
  Effect.flatMap(PieceFile.read(file), (stored) =>
    stored === undefined
      ? Effect.undefined
      : Effect.try({ try: () => partsOf(stored), catch: () => "gone" as const }).pipe(
          Effect.orElseSucceed(() => undefined)
        )
  )

/**
 * The documents of a file of the cache with this digest, written there before if need be; `undefined` where that cannot be done.
 *
 * A file with other documents is written anew: it was made from files that changed while they were read.
 */
const kept = <E, R>(
  file: string,
  { text, write }: { readonly text: Digest.Digest; readonly write: (file: string) => Effect.Effect<void, E, R> }
) =>
  Effect.gen(function* () {
    const before = yield* found(file)
    if (before?.text === text) return before
    yield* write(file)
    return yield* found(file)
  }).pipe(
    Effect.catchIf(
      (error) => error instanceof PlatformError,
      (error) => Effect.as(Effect.logDebug(`the pieces are not kept in ${file}: ${error.message}`), undefined)
    )
  )
