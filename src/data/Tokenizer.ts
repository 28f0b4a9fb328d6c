import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { Digest, type JsonObject, Spec } from "../spec/index.ts"

/** The ids of the special pieces, the same in every vocabulary this project uses. */
export const specialIds = { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 } as const

/** The first id that is an ordinary piece. */
export const firstPiece = 5

const specialPieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

/**
 * WordPiece over words that are already apart; immutable to its user.
 *
 * `encode` gives the ids of a word's pieces; the pieces of a sentence are those of its words one after another, for
 * BERT's pre-tokeniser never looks across white space. `vocabulary` lists the pieces by id, and `digest` is the
 * digest of the file `vocab.txt`: one piece a line.
 */
export interface Tokenizer {
  readonly spec: Spec.Spec
  readonly digest: Digest.Digest
  readonly vocabulary: ReadonlyArray<string>
  readonly encode: (word: string) => ReadonlyArray<number>
}

/** The vocabulary at hand is not the one that was asked for, or a tokenizer file cannot be used. */
export class TokenizerMismatch extends Schema.TaggedError<TokenizerMismatch>()("TokenizerMismatch", {
  key: Schema.String,
  expected: Schema.String,
  got: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.key}: expected ${this.expected}, got ${this.got}; ${this.remedy}`
  }
}

/** The digest of a vocabulary: of its pieces in the order of their ids, each ended by a new line, as in `vocab.txt`. */
export const vocabularyDigest = (vocabulary: ReadonlyArray<string>): Digest.Digest =>
  Digest.ofBytes(vocabulary.map((piece) => `${piece}\n`).join(""))

const WordPieceFile = Schema.fromJsonString(
  Schema.Struct({
    normalizer: Schema.Json,
    pre_tokenizer: Schema.Json,
    model: Schema.Struct({ type: Schema.Literal("WordPiece"), vocab: Schema.Record(Schema.String, Schema.Int) })
  })
)
const JsonObjectText = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

const retrain = "use the folder assets/tokenizer, or make one with scripts/train-tokenizer.py"

/**
 * A tokenizer from the texts of `tokenizer.json` and `tokenizer_config.json` of a Hugging Face directory.
 *
 * Fails with `TokenizerMismatch` when the texts are not a WordPiece tokenizer whose ids run from 0 without a gap
 * and begin with [PAD], [UNK], [CLS], [SEP], [MASK].
 */
export const tokenizerOfJson = Effect.fn("Tokenizer.tokenizerOfJson")(function* (
  tokenizerJson: string,
  configJson: string
) {
  const unusable = (key: string, expected: string) => (error: { readonly message: string }) =>
    new TokenizerMismatch({ key, expected, got: error.message.split("\n")[0] ?? "", remedy: retrain })
  const file = yield* Schema.decodeUnknownEffect(WordPieceFile)(tokenizerJson).pipe(
    Effect.mapError(unusable("tokenizer.json", "a WordPiece tokenizer in JSON"))
  )
  const parsed = yield* Schema.decodeUnknownEffect(JsonObjectText)(tokenizerJson).pipe(
    Effect.mapError(unusable("tokenizer.json", "a JSON object"))
  )
  const config = yield* Schema.decodeUnknownEffect(JsonObjectText)(configJson).pipe(
    Effect.mapError(unusable("tokenizer_config.json", "a JSON object"))
  )
  const vocabulary = Object.entries(file.model.vocab)
    .sort(([, a], [, b]) => a - b)
    .map(([piece]) => piece)
  const gap = vocabulary.findIndex((piece, id) => file.model.vocab[piece] !== id)
  if (gap >= 0) {
    return yield* new TokenizerMismatch({
      key: "tokenizer.json",
      expected: `ids 0 … ${vocabulary.length - 1}`,
      got: `no piece with id ${gap}`,
      remedy: retrain
    })
  }
  const begins = vocabulary.slice(0, firstPiece)
  if (begins.join(" ") !== specialPieces.join(" ")) {
    return yield* new TokenizerMismatch({
      key: "tokenizer.json",
      expected: `the first pieces ${specialPieces.join(" ")}`,
      got: begins.join(" "),
      remedy: retrain
    })
  }
  const inner = new HuggingFaceTokenizer(parsed, config)
  const { normalizer, pre_tokenizer } = file
  return tokenizerOfVocabulary(vocabulary, (word) => inner.encode(word, { add_special_tokens: false }).ids, {
    normalizer,
    pre_tokenizer
  })
})

/**
 * A tokenizer of a vocabulary and a way to encode a word; each distinct word is encoded once and remembered.
 *
 * `rules` are whatever else decides how a word is cut, for the spec.
 */
export const tokenizerOfVocabulary = (
  vocabulary: ReadonlyArray<string>,
  encodeWord: (word: string) => ReadonlyArray<number>,
  rules: JsonObject = {}
): Tokenizer => {
  const digest = vocabularyDigest(vocabulary)
  const seen = new Map<string, ReadonlyArray<number>>()
  const encode = (word: string): ReadonlyArray<number> => {
    const found = seen.get(word)
    if (found !== undefined) return found
    const ids = encodeWord(word)
    seen.set(word, ids)
    return ids
  }
  const options = { size: vocabulary.length, vocabulary: digest, rules: Digest.of(rules) }
  const spec = Spec.make("wordPiece", { options })
  return { spec, digest, vocabulary, encode }
}

/** The folder of the vocabulary that ships with homodistil: 4,096 lower-case pieces, trained on Brown's training split. */
export const tokenizerDirectory: Effect.Effect<string, never, Path.Path> = Effect.flatMap(Path.Path, (path) =>
  Effect.orDie(path.fromFileUrl(new URL("../../assets/tokenizer", import.meta.url)))
)

/**
 * Reads the tokenizer of a Hugging Face directory: `tokenizer.json` and `tokenizer_config.json`.
 *
 * Fails with `TokenizerMismatch` when a file is missing or is not a vocabulary of this project's kind.
 */
export const loadTokenizer = Effect.fn("loadTokenizer")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const read = (name: string) =>
    fs.readFileString(path.join(directory, name)).pipe(
      Effect.mapError(
        () =>
          new TokenizerMismatch({
            key: path.join(directory, name),
            expected: "a readable file",
            got: "none",
            remedy: retrain
          })
      )
    )
  return yield* tokenizerOfJson(yield* read("tokenizer.json"), yield* read("tokenizer_config.json"))
})

/**
 * Passes when a tokenizer has the vocabulary that something else (a teacher, a cell) was made with.
 *
 * Fails with `TokenizerMismatch` naming what asked for it.
 */
export const expectVocabulary = (
  tokenizer: Tokenizer,
  wanted: { readonly by: string; readonly size: number; readonly digest?: Digest.Digest }
): Effect.Effect<void, TokenizerMismatch> => {
  const remedy = `use the tokenizer that ${wanted.by} was trained with`
  const size = tokenizer.vocabulary.length
  if (size !== wanted.size) {
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
