import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { JsonObject } from "../../spec/index.ts"
import type { AddedToken } from "./AddedTokens.ts"
import type { TextRules } from "./BasicTokenizer.ts"
import { bertNames, type SpecialNames } from "./PieceIds.ts"
import { shown, TokenizerMismatch } from "./TokenizerMismatch.ts"

/** The files of a Hugging Face directory that make its tokenizer, as bytes. */
export interface TokenizerBytes {
  readonly "tokenizer.json"?: Uint8Array | undefined
  readonly "tokenizer_config.json"?: Uint8Array | undefined
  readonly "special_tokens_map.json"?: Uint8Array | undefined
  readonly "vocab.txt"?: Uint8Array | undefined
}

/** All that decides how a text becomes pieces. */
export interface TokenizerDefinition {
  /** The pieces by id, with those of added tokens at the end. */
  readonly vocabulary: ReadonlyArray<string>
  /** How many of them words are cut into. */
  readonly cutInto: number
  readonly names: SpecialNames
  readonly text: TextRules
  /** What marks a piece that does not begin its word. */
  readonly prefix: string
  readonly longestWord: number
  readonly added: ReadonlyArray<AddedToken>
  /** The rules as they stand in `tokenizer.json`, for the spec. */
  readonly rules: JsonObject
}

const remedy =
  "homodistil reads BERT's WordPiece tokenizers: correct the file, or take the tokenizer of the model from its source"

/**
 * How much a file may hold. No tokenizer of a BERT comes near: these keep the time that a text takes, and the memory, within what such a
 * tokenizer takes, whatever stands in a file.
 */
const most = { pieces: 2 ** 21, prefix: 100, word: 1000, token: 1000, tokens: 2 ** 19 }

const withDefault = <S extends Schema.Top & { readonly Encoded: unknown }>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))
const flag = (value: boolean) => withDefault(Schema.Boolean, value)
const Id = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Normalizer = Schema.Struct({
  type: Schema.Literal("BertNormalizer"),
  clean_text: flag(true),
  handle_chinese_chars: flag(true),
  strip_accents: withDefault(Schema.NullOr(Schema.Boolean), null),
  lowercase: flag(true)
})
const TokenRules = { content: Schema.String, single_word: flag(false), special: flag(false) }
const Added = Schema.Struct({ ...TokenRules, id: Id, normalized: Schema.optionalKey(Schema.Boolean) })
const TemplateItem = Schema.Union([
  Schema.Struct({ SpecialToken: Schema.Struct({ id: Schema.String, type_id: Schema.Int }) }),
  Schema.Struct({ Sequence: Schema.Struct({ id: Schema.String, type_id: Schema.Int }) })
])
const PostProcessor = Schema.Union([
  Schema.Struct({
    type: Schema.Literal("BertProcessing"),
    cls: Schema.Tuple([Schema.String, Id]),
    sep: Schema.Tuple([Schema.String, Id])
  }),
  Schema.Struct({
    type: Schema.Literal("TemplateProcessing"),
    single: Schema.Array(TemplateItem),
    pair: Schema.Array(TemplateItem)
  })
])
const TokenizerJson = Schema.Struct({
  model: Schema.Struct({
    type: Schema.Literal("WordPiece"),
    unk_token: withDefault(Schema.String, bertNames.unknown),
    continuing_subword_prefix: withDefault(Schema.String.check(Schema.isMaxLength(most.prefix)), "##"),
    max_input_chars_per_word: withDefault(Id.check(Schema.isLessThanOrEqualTo(most.word)), 100),
    vocab: Schema.Record(Schema.String, Id)
  }),
  normalizer: withDefault(Schema.NullOr(Normalizer), null),
  pre_tokenizer: Schema.Struct({ type: Schema.Literal("BertPreTokenizer") }),
  post_processor: withDefault(Schema.NullOr(PostProcessor), null),
  added_tokens: withDefault(Schema.Array(Added), [])
})
const Name = Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.String, Schema.Struct({ content: Schema.String })])))
const Names = { pad_token: Name, unk_token: Name, cls_token: Name, sep_token: Name, mask_token: Name }
const NamesJson = Schema.Struct(Names)
const ConfigJson = Schema.Struct({
  ...Names,
  do_lower_case: Schema.optionalKey(Schema.Boolean),
  tokenize_chinese_chars: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  strip_accents: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  added_tokens_decoder: withDefault(
    Schema.Record(Schema.String, Schema.Struct({ ...TokenRules, normalized: Schema.optionalKey(Schema.Boolean) })),
    {}
  )
})

const mismatch = (key: string, expected: string, got: string): Result.Result<never, TokenizerMismatch> =>
  Result.fail(new TokenizerMismatch({ key, expected, got, remedy }))

/** The text of a file's bytes. */
const decode = (key: string, bytes: Uint8Array): Result.Result<string, TokenizerMismatch> =>
  Result.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new TokenizerMismatch({ key, expected: "text in UTF-8", got: "other bytes", remedy })
  })

/** A value in few words, however large it is. */
const brief = (value: unknown): string =>
  value === undefined
    ? "nothing"
    : Array.isArray(value)
      ? `a list of ${value.length}`
      : typeof value === "object" && value !== null
        ? "an object"
        : shown(JSON.stringify(value), 60)

/** Reads a JSON file by its schema; the error names the first field that does not fit. */
const parse =
  <A>(key: string, schema: Schema.Codec<A, unknown>) =>
  (text: string): Result.Result<A, TokenizerMismatch> => {
    const json = Result.try({ try: (): unknown => JSON.parse(text), catch: () => undefined })
    if (Result.isFailure(json)) return mismatch(key, "JSON", text.trim() === "" ? "nothing" : "something else")
    return Result.mapError(Schema.decodeUnknownResult(schema)(json.success), ({ issue }) => {
      const first = SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues[0]
      const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
      let at: unknown = json.success
      for (const part of path)
        at = typeof at === "object" && at !== null ? Object.entries(at).find(([name]) => name === part)?.[1] : undefined
      const expected = shown((first?.message ?? "another value").replace(/^Expected /, ""))
      const field = path.length === 0 ? "" : `: ${shown(path.join("."))}`
      return new TokenizerMismatch({ key: key + field, expected, got: brief(at), remedy })
    })
  }

type Config = typeof ConfigJson.Type
type Flags = Pick<Config, "do_lower_case" | "strip_accents" | "tokenize_chinese_chars">

/** The names of the special pieces: the first file that gives one, or BERT's. */
const namesOf = (...files: ReadonlyArray<typeof NamesJson.Type>): SpecialNames => {
  const name = (key: keyof typeof Names, usual: string): string => {
    const given = files.map((file) => file[key]).find((value) => value !== undefined && value !== null)
    return given === undefined || given === null ? usual : typeof given === "string" ? given : given.content
  }
  return {
    pad: name("pad_token", bertNames.pad),
    unknown: name("unk_token", bertNames.unknown),
    cls: name("cls_token", bertNames.cls),
    sep: name("sep_token", bertNames.sep),
    mask: name("mask_token", bertNames.mask)
  }
}

/** The normaliser with what the configuration says of it, which comes first, as in the library transformers. */
const configured = (normaliser: typeof Normalizer.Type, flags: Flags): typeof Normalizer.Type => ({
  ...normaliser,
  lowercase: flags.do_lower_case ?? normaliser.lowercase,
  handle_chinese_chars: flags.tokenize_chinese_chars ?? normaliser.handle_chinese_chars,
  strip_accents: flags.strip_accents ?? normaliser.strip_accents
})

const textRulesOf = (normaliser: typeof Normalizer.Type | null): TextRules =>
  normaliser === null
    ? { cleanText: false, chineseCharacters: false, stripAccents: false, lowerCase: false }
    : {
        cleanText: normaliser.clean_text,
        chineseCharacters: normaliser.handle_chinese_chars,
        stripAccents: normaliser.strip_accents ?? normaliser.lowercase,
        lowerCase: normaliser.lowercase
      }

const addedToken = (token: Omit<typeof Added.Type, "id">, id: number): AddedToken => ({
  content: token.content,
  id,
  special: token.special,
  singleWord: token.single_word,
  normalised: token.normalized ?? !token.special
})

/** The vocabulary with the added tokens that it lacks, which must go on where it ends. */
const withAdded = (
  key: string,
  vocabulary: ReadonlyArray<string>,
  added: ReadonlyArray<AddedToken>
): Result.Result<ReadonlyArray<string>, TokenizerMismatch> => {
  const ids = new Map(vocabulary.map((piece, id) => [piece, id]))
  const all = [...vocabulary]
  for (const { content, id } of added.toSorted((a, b) => a.id - b.id)) {
    const known = ids.get(content) ?? all.length
    if (known !== id) return mismatch(`${key}: ${brief(content)}`, `the id ${known}`, `the id ${id}`)
    if (id === all.length) all.push(content)
    ids.set(content, id)
  }
  return Result.succeed(all)
}

const tooMany = (key: string, what: string, bound: number) => mismatch(key, `at most ${bound} ${what}`, "more")

/** The added tokens, which are looked for at every place of a text, where they are not too long for that. */
const checkAdded = (key: string, added: ReadonlyArray<AddedToken>): Result.Result<void, TokenizerMismatch> => {
  const long = added.find(({ content }) => content.length > most.token)
  if (long !== undefined) return tooMany(`${key}: ${brief(long.content)}`, "characters of a token", most.token)
  const all = added.reduce((sum, { content }) => sum + content.length, 0)
  return all > most.tokens ? tooMany(key, "characters of all tokens", most.tokens) : Result.void
}

/** What a post-processor puts around texts, as `[CLS]:0 A:0 [SEP]:0`. */
const templateOf = (items: ReadonlyArray<typeof TemplateItem.Type>): string =>
  items
    .map((item) => ("Sequence" in item ? item.Sequence : item.SpecialToken))
    .map(({ id, type_id: type }) => `${id}:${type}`)
    .join(" ")

const checkPostProcessor = (
  key: string,
  given: typeof PostProcessor.Type | null,
  { cls, sep }: SpecialNames
): Result.Result<void, TokenizerMismatch> => {
  const single = `${cls}:0 A:0 ${sep}:0`
  const pair = `${single} B:1 ${sep}:1`
  const [one, two] =
    given === null
      ? [single, pair]
      : given.type === "TemplateProcessing"
        ? [templateOf(given.single), templateOf(given.pair)]
        : [`${given.cls[0]}:0 A:0 ${given.sep[0]}:0`, `${given.cls[0]}:0 A:0 ${given.sep[0]}:0 B:1 ${given.sep[0]}:1`]
  return one === single && two === pair
    ? Result.void
    : mismatch(`${key}: post_processor`, shown(`${single} and ${pair}`), shown(`${one} and ${two}`))
}

/** The pieces of a vocabulary in JSON by id: these must run from 0 without a gap. */
const piecesById = (
  key: string,
  vocab: Readonly<Record<string, number>>
): Result.Result<ReadonlyArray<string>, TokenizerMismatch> => {
  const entries = Object.entries(vocab).sort(([, a], [, b]) => a - b)
  if (entries.length > most.pieces) return tooMany(`${key}: model.vocab`, "pieces", most.pieces)
  const gap = entries.findIndex(([, id], n) => id !== n)
  if (gap < 0) return Result.succeed(entries.map(([piece]) => piece))
  const [piece, id] = entries[gap] ?? ["", 0]
  return mismatch(
    `${key}: model.vocab`,
    `ids 0 … ${entries.length - 1}`,
    id > gap ? `no piece with id ${gap}` : `the id ${id} twice, also for ${brief(piece)}`
  )
}

const ofJson = (key: string, text: string, config: Config, map: typeof NamesJson.Type) =>
  Result.gen(function* () {
    const { model, normalizer, pre_tokenizer, post_processor, added_tokens } = yield* parse(key, TokenizerJson)(text)
    const names = namesOf({ unk_token: model.unk_token }, config, map)
    yield* checkPostProcessor(key, post_processor, names)
    const added = added_tokens.map((token) => addedToken(token, token.id))
    yield* checkAdded(`${key}: added_tokens`, added)
    const pieces = yield* piecesById(key, model.vocab)
    const vocabulary = yield* withAdded(`${key}: added_tokens`, pieces, added)
    const normaliser = normalizer === null ? null : configured(normalizer, config)
    return {
      vocabulary,
      cutInto: pieces.length,
      names,
      text: textRulesOf(normaliser),
      prefix: model.continuing_subword_prefix,
      longestWord: model.max_input_chars_per_word,
      added,
      rules: { normalizer: normaliser, pre_tokenizer }
    } satisfies TokenizerDefinition
  })

const ofVocabulary = (text: string, key: string, config: Config, map: typeof NamesJson.Type) =>
  Result.gen(function* () {
    const lines = text.split(/\r\n|\r|\n/, most.pieces + 2)
    const pieces = lines.at(-1) === "" ? lines.slice(0, -1) : lines
    if (pieces.length > most.pieces) return yield* tooMany(key, "pieces", most.pieces)
    const names = namesOf(config, map)
    const usual = { single_word: false, special: true, normalized: false }
    const special = Object.values(names)
      .filter((content) => pieces.includes(content))
      .map((content) => addedToken({ ...usual, content }, pieces.lastIndexOf(content)))
    const further = Object.entries(config.added_tokens_decoder)
      .filter(([, { content }]) => !special.some((token) => token.content === content))
      .map(([id, token]) => addedToken(token, Number(id)))
    yield* checkAdded(`${key}: special pieces and added_tokens_decoder`, [...special, ...further])
    const vocabulary = yield* withAdded(`${key}: added_tokens_decoder`, pieces, further)
    const normaliser = configured(
      { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
      config
    )
    return {
      vocabulary,
      cutInto: pieces.length,
      names,
      text: textRulesOf(normaliser),
      prefix: "##",
      longestWord: 100,
      added: [...special, ...further],
      rules: { normalizer: normaliser, pre_tokenizer: { type: "BertPreTokenizer" } }
    } satisfies TokenizerDefinition
  })

/**
 * What the files of a tokenizer say: `tokenizer.json`, or `vocab.txt` where there is none; `tokenizer_config.json` may set lower case,
 * accents and Chinese characters, and both it and `special_tokens_map.json` name the special pieces. Nothing else is read: no path in a
 * file is followed.
 *
 * `folder` stands before the files' names in errors. Fails with `TokenizerMismatch` naming the file and the first field that is not one
 * of BERT's WordPiece tokenizers.
 *
 * @example
 * ```ts
 * import { tokenizerDefinition } from "homodistil/data"
 * import * as Result from "effect/Result"
 * const bytes = (text: string) => new TextEncoder().encode(text)
 * const files = { "vocab.txt": bytes("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nÜ\n"), "tokenizer_config.json": bytes('{"do_lower_case": false}') }
 * const { vocabulary, text } = Result.getOrThrow(tokenizerDefinition(files))
 * assert.deepEqual([vocabulary[5], text.lowerCase, text.stripAccents], ["Ü", false, false])
 * ```
 */
export const tokenizerDefinition = (
  files: TokenizerBytes,
  folder = ""
): Result.Result<TokenizerDefinition, TokenizerMismatch> =>
  Result.gen(function* () {
    const key = (name: keyof TokenizerBytes) => (folder === "" ? name : `${folder}/${name}`)
    const read = (name: keyof TokenizerBytes) => decode(key(name), files[name] ?? new TextEncoder().encode("{}"))
    const config = yield* parse(key("tokenizer_config.json"), ConfigJson)(yield* read("tokenizer_config.json"))
    const map = yield* parse(key("special_tokens_map.json"), NamesJson)(yield* read("special_tokens_map.json"))
    if (files["tokenizer.json"] !== undefined)
      return yield* ofJson(key("tokenizer.json"), yield* read("tokenizer.json"), config, map)
    if (files["vocab.txt"] === undefined)
      return yield* mismatch(key("tokenizer.json"), "a readable file, or vocab.txt", "none")
    return yield* ofVocabulary(yield* read("vocab.txt"), key("vocab.txt"), config, map)
  })
