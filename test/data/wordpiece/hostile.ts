import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { tokenizerOfFiles } from "../../../src/data/Tokenizer.ts"
import type { TokenizerBytes } from "../../../src/data/wordpiece/TokenizerFiles.ts"
import { bytesChange, type Change, encode, inText, jsonChange } from "../../damage.ts"
import { casedFiles, shippedFiles } from "../tokenizers.ts"

type Name = keyof TokenizerBytes

const json = (value: unknown) => encode(JSON.stringify(value))

const added = (id: number, content: string, flags: object = {}) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: false,
  ...flags
})
const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
const template = {
  type: "TemplateProcessing",
  single: [token("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, token("[SEP]")],
  pair: [
    token("[CLS]"),
    { Sequence: { id: "A", type_id: 0 } },
    token("[SEP]"),
    { Sequence: { id: "B", type_id: 1 } },
    { SpecialToken: { id: "[SEP]", type_id: 1 } }
  ]
}
const pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##a", "un", "##able", "東", "!", "new"]
const small = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [
    ...pieces.slice(0, 5).map((content, id) => added(id, content, { special: true })),
    added(12, "New York", { normalized: true, single_word: true }),
    added(13, "[X]")
  ],
  normalizer: {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: template,
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id]))
  }
}
const config = {
  do_lower_case: true,
  tokenize_chinese_chars: true,
  strip_accents: null,
  pad_token: "[PAD]",
  mask_token: { content: "[MASK]", lstrip: false },
  model_max_length: 512
}
const processing = { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] }

/** Whole sets of files: a small tokenizer.json with each post-processor, a vocabulary with its configuration, the shipped ones. */
const whole: ReadonlyArray<TokenizerBytes> = [
  { "tokenizer.json": json(small) },
  {
    "tokenizer.json": json({ ...small, post_processor: processing }),
    "tokenizer_config.json": json(config),
    "special_tokens_map.json": json({ cls_token: "[CLS]", sep_token: { content: "[SEP]" } })
  },
  {
    "vocab.txt": encode(`${pieces.join("\n")}\n`),
    "tokenizer_config.json": json({ ...config, added_tokens_decoder: { 12: added(12, "[X]"), 4: added(4, "[MASK]") } })
  },
  casedFiles,
  shippedFiles
]

/** A vocabulary with a line that is gone, there again, another text, or followed by a great many empty ones. */
const linesChange: fc.Arbitrary<(text: string) => string> = fc
  .tuple(
    fc.nat(),
    fc.constantFrom(1, 1, 1, 200_000),
    fc.oneof(
      fc.constant(undefined),
      fc.constantFrom("", "[CLS]", "##", "\0", "\u2028", "a\tb", "x".repeat(50_000)),
      fc.string()
    )
  )
  .map(([at, times, line]) => (text: string) => {
    const lines = text.split("\n")
    const here = at % lines.length
    const put = line === undefined ? [] : Array.from({ length: times }, () => line.slice(0, times > 1 ? 8 : undefined))
    return [...lines.slice(0, here), ...put, ...lines.slice(here + (at % 2))].join("\n")
  })

const names = (files: TokenizerBytes): ReadonlyArray<Name> =>
  (["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"] as const).filter(
    (name) => files[name] !== undefined
  )

const changeOf = (name: Name): fc.Arbitrary<Change> =>
  fc.oneof(
    { arbitrary: (name === "vocab.txt" ? linesChange : jsonChange(5)).map(inText), weight: 3 },
    bytesChange,
    // gone, or the bytes of nothing that is known
    fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 64 })).map((bytes) => () => bytes)
  )

/** The files of a tokenizer, one or two of which were damaged, and sometimes one taken away. */
export const damaged: fc.Arbitrary<TokenizerBytes> = fc.constantFrom(...whole).chain((files) => {
  const one = fc.constantFrom(...names(files)).chain((name) => changeOf(name).map((change) => ({ name, change })))
  const changes = fc.uniqueArray(one, { selector: ({ name }) => name, minLength: 1, maxLength: 2 })
  const gone = fc.option(fc.constantFrom(...names(files)), { freq: 9, nil: undefined })
  return fc.tuple(changes, gone).map(([all, lost]) => ({
    ...files,
    ...Object.fromEntries(all.map(({ name, change }) => [name, change(files[name] ?? new Uint8Array(0))])),
    ...(lost === undefined ? {} : { [lost]: undefined })
  }))
})

/** What a tokenizer must encode whatever it was made of. */
const texts = [
  "",
  "Unable, UNABLE! new york New  York [X] [MASK][MASK]",
  "東京 é e\u0301 \ud800 🙂\0\u200b\u2028 ##a __proto__ constructor",
  "a".repeat(3000),
  `${"x".repeat(999)} ${"[".repeat(500)}`
]

/**
 * Makes a tokenizer of damaged files: it must be one whose ids are all in its vocabulary, the same each time, or a typed error of one line that
 * names the file.
 */
export const survives = (files: TokenizerBytes): "read" | "refused" => {
  const made = Effect.runSync(Effect.result(tokenizerOfFiles(files, "dir")))
  if (Result.isFailure(made)) {
    const { _tag, key, message } = made.failure
    assert.strictEqual(_tag, "TokenizerMismatch")
    assert.match(key, /^dir\/(tokenizer|tokenizer_config|special_tokens_map|vocab)\.(json|txt)/)
    assert.isBelow(message.length, 1200)
    assert.notMatch(message, /[\p{Cc}\u2028\u2029]/u)
    return "refused"
  }
  const { vocabulary, special, ordinary, encode: ids } = made.success
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < vocabulary.length
  assert.isTrue(Object.values(special).every(isId))
  assert.isTrue(ordinary.length > 0 && ordinary.every(isId))
  for (const text of [...texts, vocabulary.slice(0, 40).join(" ").slice(0, 5000)]) {
    const once = ids(text)
    assert.isTrue(once.every(isId), text.slice(0, 80))
    assert.strictEqual(ids(text).join(), once.join())
  }
  assert.strictEqual(Object.getPrototypeOf({}), Object.prototype)
  assert.isUndefined(Reflect.get({}, "polluted"))
  return "read"
}
