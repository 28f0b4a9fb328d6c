import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { ConfigError, Digest, type JsonObject, Spec } from "../spec/index.ts"
import { splitByTokens } from "./wordpiece/AddedTokens.ts"
import { basicWords, normalise, spaceOf, type TextRules, uncased } from "./wordpiece/BasicTokenizer.ts"
import { bertNames, type PieceIds, pieceIdsOf } from "./wordpiece/PieceIds.ts"
import { type TokenizerBytes, tokenizerDefinition, type TokenizerDefinition } from "./wordpiece/TokenizerFiles.ts"
import { shown, TokenizerMismatch } from "./wordpiece/TokenizerMismatch.ts"
import { wordPiece } from "./wordpiece/WordPiece.ts"

/**
 * WordPiece over words that are already apart, or over a text; immutable to its user.
 *
 * `encode` gives the ids of a word's pieces; the pieces of a sentence are those of its words one after another, for
 * BERT's pre-tokeniser never looks across white space. `vocabulary` lists the pieces by id, `special` and `ordinary` say what the ids
 * mean, `text` what is done to a text before it is cut, and `digest` is the digest of the file `vocab.txt`: one piece a line.
 */
export interface Tokenizer extends PieceIds {
  readonly spec: Spec.Spec
  readonly digest: Digest.Digest
  readonly vocabulary: ReadonlyArray<string>
  readonly text: TextRules
  readonly encode: (text: string) => ReadonlyArray<number>
}

/** The digest of a vocabulary: of its pieces in the order of their ids, each ended by a new line, as in `vocab.txt`. */
export const vocabularyDigest = (vocabulary: ReadonlyArray<string>): Digest.Digest =>
  Digest.ofBytes(vocabulary.map((piece) => `${piece}\n`).join(""))

/** A word is remembered when it is no longer than BERT would cut, and as long as there are fewer than these. */
const remembered = { characters: 100, words: 200_000 }

/** Encodes each distinct word once; longer texts, and those with white space, are encoded anew. */
const remember = (encode: Tokenizer["encode"]): Tokenizer["encode"] => {
  const seen = new Map<string, ReadonlyArray<number>>()
  return (word) => {
    const found = seen.get(word)
    if (found !== undefined) return found
    const ids = encode(word)
    if (word.length > remembered.characters || /\s/.test(word)) return ids
    if (seen.size >= remembered.words) seen.clear()
    // a copy: a part of a text would keep the whole text in memory
    seen.set(Buffer.from(word, "utf16le").toString("utf16le"), ids)
    return ids
  }
}

/**
 * A tokenizer of a vocabulary and a way to encode a word; each distinct word is encoded once and remembered.
 *
 * `rules` are whatever else decides how a word is cut, for the spec; `pieces` what the ids mean, by BERT's names unless given; `text` the
 * rules of an uncased BERT unless given. Throws `ConfigError` when the vocabulary lacks a special piece or any other.
 *
 * @example
 * ```ts
 * import { tokenizerOfVocabulary } from "homodistil/data"
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"], (word) => [word === "a" ? 5 : 1])
 * assert.deepEqual([toy.encode("a"), toy.special.mask], [[5], 4])
 * ```
 */
export const tokenizerOfVocabulary = (
  vocabulary: ReadonlyArray<string>,
  encode: (word: string) => ReadonlyArray<number>,
  more: { readonly rules?: JsonObject; readonly pieces?: PieceIds; readonly text?: TextRules } = {}
): Tokenizer => {
  const { rules = {}, pieces = pieceIdsOf(vocabulary), text = uncased } = more
  const digest = vocabularyDigest(vocabulary)
  const options = { size: vocabulary.length, vocabulary: digest, rules: Digest.of(rules) }
  const spec = Spec.make("wordPiece", { options })
  const { special, ordinary } = pieces
  return { spec, digest, vocabulary, special, ordinary, text, encode: remember(encode) }
}

/** What of a definition decides how a word is cut, beside the vocabulary; what is as in BERT is left out. */
const rulesOf = ({ rules, names, prefix, longestWord, added }: TokenizerDefinition): JsonObject => {
  const usual = new Set(Object.values(bertNames))
  const further = added
    .filter(({ content }) => !usual.has(content))
    .map(({ content, id, special, singleWord, normalised }) => ({ content, id, special, singleWord, normalised }))
  return {
    ...rules,
    ...(prefix === "##" ? {} : { prefix }),
    ...(longestWord === 100 ? {} : { longestWord }),
    ...(Object.values(names).every((name) => usual.has(name)) ? {} : { names: { ...names } }),
    ...(further.length === 0 ? {} : { added: further })
  }
}

const tokenizerOfDefinition = (definition: TokenizerDefinition): Tokenizer => {
  const { vocabulary, cutInto, names, text, prefix, longestWord, added } = definition
  const others = added.flatMap(({ special, id }) => (special ? [id] : []))
  const pieces = pieceIdsOf(vocabulary, names, others)
  const ids = new Map(vocabulary.slice(0, cutInto).map((piece, id) => [piece, id]))
  const cut = wordPiece(ids, { unknown: pieces.special.unknown, prefix, longestWord })
  const written = splitByTokens(added.filter(({ normalised }) => !normalised))
  const folded = added
    .filter(({ normalised }) => normalised)
    .map((token) => ({ ...token, content: normalise(token.content, text) }))
  const inFolded = splitByTokens(folded)
  const encodePart = (part: string): ReadonlyArray<number> =>
    inFolded(normalise(part, text)).flatMap((words) =>
      typeof words === "number" ? [words] : basicWords(words).flatMap(cut)
    )
  const encodeWord = remember(encodePart)
  const space = spaceOf(text)
  const encode = (whole: string): ReadonlyArray<number> =>
    written(whole).flatMap((part) =>
      typeof part === "number" ? [part] : folded.length > 0 ? encodePart(part) : part.split(space).flatMap(encodeWord)
    )
  return tokenizerOfVocabulary(vocabulary, encode, { rules: rulesOf(definition), pieces, text })
}

/**
 * The tokenizer of a Hugging Face directory's files: `tokenizer.json`, or `vocab.txt` where there is none, each with any
 * `tokenizer_config.json` and `special_tokens_map.json`. Its ids are those of the Hugging Face tokenizers on every text.
 *
 * `folder` stands before the files' names in errors. Fails with `TokenizerMismatch`, naming file and field, when the files are not a
 * WordPiece tokenizer of BERT's kind whose ids run from 0 without a gap, or its vocabulary lacks a special piece.
 */
export const tokenizerOfFiles = Effect.fn("tokenizerOfFiles")(function* (files: TokenizerBytes, folder: string = "") {
  const definition = yield* Effect.fromResult(tokenizerDefinition(files, folder))
  const file = files["tokenizer.json"] === undefined ? "vocab.txt" : "tokenizer.json"
  return yield* Effect.try({
    try: () => tokenizerOfDefinition(definition),
    catch: (error) => {
      const problem = error instanceof ConfigError ? error.problems[0] : undefined
      return new TokenizerMismatch({
        key: folder === "" ? file : `${folder}/${file}`,
        expected: problem === undefined ? "a vocabulary" : `as ${problem.key} ${problem.bound}`,
        got: shown(problem === undefined ? String(error) : problem.value),
        remedy: problem?.remedy ?? ""
      })
    }
  })
})

/** The folder of the vocabulary that ships with homodistil: 4,096 lower-case pieces, trained on Brown's training split. */
export const tokenizerDirectory: Effect.Effect<string, never, Path.Path> = Effect.flatMap(Path.Path, (path) =>
  Effect.orDie(path.fromFileUrl(new URL("../../assets/tokenizer", import.meta.url)))
)

/** No file of a tokenizer is larger, in bytes. */
const largest = 2 ** 26

/**
 * Reads the tokenizer of a Hugging Face directory: see `tokenizerOfFiles`.
 *
 * Fails with `TokenizerMismatch` when there is neither `tokenizer.json` nor `vocab.txt`, one of the files is there but cannot be read, or
 * they are not of BERT's kind.
 */
export const loadTokenizer = Effect.fn("loadTokenizer")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const read = Effect.fnUntraced(function* (name: keyof TokenizerBytes) {
    const file = path.join(directory, name)
    const refuse = (got: string) =>
      new TokenizerMismatch({
        key: file,
        expected: `a readable file of at most ${largest} bytes`,
        got,
        remedy: "check the folder"
      })
    const info = yield* Effect.orElseSucceed(fs.stat(file), () => undefined)
    if (info === undefined) return undefined
    // a pipe would be waited for, and a device never ends
    if (info.type !== "File") return yield* refuse(info.type)
    if (info.size > largest) return yield* refuse(`${info.size} bytes`)
    return yield* Effect.mapError(fs.readFile(file), (error) => refuse(error.reason._tag))
  })
  return yield* tokenizerOfFiles(
    {
      "tokenizer.json": yield* read("tokenizer.json"),
      "tokenizer_config.json": yield* read("tokenizer_config.json"),
      "special_tokens_map.json": yield* read("special_tokens_map.json"),
      "vocab.txt": yield* read("vocab.txt")
    },
    directory
  )
})

/**
 * Passes when a tokenizer has the vocabulary that something else (a teacher, a cell) was made with.
 *
 * With `padded`, a model may have more ids than there are pieces: some are made so, for sizes that hardware likes.
 * Fails with `TokenizerMismatch` naming what asked for it.
 */
export const expectVocabulary = (
  tokenizer: Tokenizer,
  wanted: { readonly by: string; readonly size: number; readonly digest?: Digest.Digest; readonly padded?: boolean }
): Effect.Effect<void, TokenizerMismatch> => {
  const remedy = `use the tokenizer that ${wanted.by} was trained with`
  const size = tokenizer.vocabulary.length
  if (wanted.padded === true ? size > wanted.size : size !== wanted.size) {
    return Effect.fail(
      new TokenizerMismatch({
        key: `vocabulary of ${wanted.by}`,
        expected: `${wanted.size} pieces`,
        got: `${size} pieces`,
        remedy
      })
    )
  }
  if (wanted.digest !== undefined && wanted.digest !== tokenizer.digest) {
    return Effect.fail(
      new TokenizerMismatch({
        key: `vocabulary of ${wanted.by}`,
        expected: `digest ${Digest.short(wanted.digest)}`,
        got: `digest ${Digest.short(tokenizer.digest)}`,
        remedy
      })
    )
  }
  return Effect.void
}
