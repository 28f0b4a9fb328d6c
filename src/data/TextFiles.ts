import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import { ConfigError, type ConfigProblem, Digest, Spec } from "../spec/index.ts"
import { chunkCount } from "./Batches.ts"
import type { SplitName } from "./Corpus.ts"
import { type Dataset } from "./Dataset.ts"
import { type Document, tokenize } from "./Document.ts"
import * as TokenCache from "./TokenCache.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** What one document of a plain text is: a block between blank lines, as BERT's own texts are written, or the whole file. */
export type DocumentBounds = "blocks" | "files"

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

/** Different documents by digest, in the order of these, so that neither the order of files nor copies count. */
const distinct = (documents: ReadonlyArray<string>): ReadonlyArray<readonly [Digest.Digest, string]> =>
  [...new Map(documents.map((text) => [Digest.ofBytes(text), text] as const))].sort(([a], [b]) => (a < b ? -1 : 1))

/** A document as pieces: a line is a sentence; nothing is known of genre and parts of speech. */
const piecesOf = (digest: Digest.Digest, text: string, tokenizer: Tokenizer): Document => {
  const sentences = text
    .split("\n")
    .map((line) => ({ words: line.split(/\s+/).filter((word) => word !== ""), tags: [] }))
  return tokenize({ file: digest, genre: -1, sentences }, tokenizer)
}

const specOf = (digests: ReadonlyArray<Digest.Digest>, tokenizer: Tokenizer, tasks: Dataset): Spec.Spec =>
  // version: raise it when the same text gives other pieces
  Spec.make("textFiles", {
    version: 1,
    options: { text: Digest.of(digests), split: splitName },
    parts: [tokenizer.spec, tasks.spec]
  })

const datasetFrom = (documents: ReadonlyArray<Document>, tokenizer: Tokenizer, tasks: Dataset): Dataset => {
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
    distinct(documents).map(([digest, text]) => piecesOf(digest, text, tokenizer)),
    tokenizer,
    tasks
  )

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

/** The text of a file, or what keeps it from being one. */
const read = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const problem = (bound: string, remedy: string): ConfigProblem => ({ key: "--text", value: file, bound, remedy })
  const bytes = yield* Effect.result(fs.readFile(file))
  if (Result.isFailure(bytes))
    return Result.fail(
      problem(`a readable file (${bytes.failure.message.split("\n")[0] ?? ""})`, "give the path of a plain text")
    )
  return Result.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes.success),
    catch: () => problem("text in UTF-8", "convert it first, e.g. with iconv -t utf-8, and unpack compressed files")
  })
})

/**
 * Reads plain texts (UTF-8) into a dataset, or takes the pieces from the cache; identical documents count once.
 *
 * Fails with `ConfigError`, which names every file that is unreadable or not UTF-8, or every split that has too little for `needs`.
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
  const texts = yield* Effect.forEach(files, read)
  const unreadable = texts.flatMap((text) => (Result.isFailure(text) ? [text.failure] : []))
  if (unreadable.length > 0) return yield* new ConfigError({ problems: unreadable })
  const documents = distinct(
    texts.flatMap((text) => (Result.isSuccess(text) ? documentsOfText(text.success, bounds) : []))
  )
  const make = Effect.sync(() => documents.map(([digest, text]) => piecesOf(digest, text, tokenizer)))
  const key = Digest.of(
    Spec.toJson(
      specOf(
        documents.map(([digest]) => digest),
        tokenizer,
        tasks
      )
    )
  )
  const pieces =
    cache === false
      ? yield* make
      : yield* TokenCache.remember(path.join(cache, `text-${Digest.short(key)}.pieces`), make)
  const dataset = datasetFrom(pieces, tokenizer, tasks)
  const problems = lacking(dataset, needs)
  return problems.length > 0 ? yield* new ConfigError({ problems }) : dataset
})
