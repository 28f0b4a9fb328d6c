import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { type TokenizerBytes, tokenizerDefinition } from "../../../src/data/wordpiece/TokenizerFiles.ts"
import { TokenizerMismatch } from "../../../src/data/wordpiece/TokenizerMismatch.ts"
import { bytes } from "../tokenizers.ts"

const special = { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4 }
const good = {
  added_tokens: [{ id: 4, content: "[MASK]", special: true }],
  normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "BertProcessing", sep: ["[SEP]", 3], cls: ["[CLS]", 2] },
  model: { type: "WordPiece", vocab: { ...special, a: 5, "##b": 6 } }
}
const json = (value: unknown) => bytes(JSON.stringify(value))
const refusal = (files: TokenizerBytes): TokenizerMismatch => {
  const error = Result.getOrThrow(Result.flip(tokenizerDefinition(files, "dir")))
  assert.instanceOf(error, TokenizerMismatch)
  assert.notInclude(error.message, "\n")
  return error
}

describe("tokenizerDefinition", () => {
  it("reads the rules of tokenizer.json, which the configuration may change", () => {
    const text = (config: object) =>
      Result.getOrThrow(tokenizerDefinition({ "tokenizer.json": json(good), "tokenizer_config.json": json(config) }))
        .text
    assert.deepStrictEqual(text({}), { cleanText: true, chineseCharacters: true, stripAccents: true, lowerCase: true })
    assert.deepStrictEqual(text({ do_lower_case: false, tokenize_chinese_chars: false }), {
      cleanText: true,
      chineseCharacters: false,
      stripAccents: false,
      lowerCase: false
    })
    assert.isFalse(text({ strip_accents: false }).stripAccents)
  })

  it("takes the names of special pieces from the configuration, then from the map", () => {
    const vocabulary = bytes("<pad>\n[UNK]\n<s>\n[SEP]\n[MASK]\na\n")
    const { names, added } = Result.getOrThrow(
      tokenizerDefinition({
        "vocab.txt": vocabulary,
        "tokenizer_config.json": json({ pad_token: "<pad>", sep_token: null }),
        "special_tokens_map.json": json({ pad_token: "a", cls_token: { content: "<s>" } })
      })
    )
    assert.deepStrictEqual(names, { pad: "<pad>", unknown: "[UNK]", cls: "<s>", sep: "[SEP]", mask: "[MASK]" })
    assert.deepStrictEqual(
      added.map(({ id }) => id),
      [0, 1, 2, 3, 4]
    )
  })

  it("reads vocab.txt with any ends of lines, and adds what the configuration adds", () => {
    const of = (text: string, config = {}) =>
      Result.getOrThrow(tokenizerDefinition({ "vocab.txt": bytes(text), "tokenizer_config.json": json(config) }))
    const pieces = [...Object.keys(special), "a"]
    for (const end of ["\n", "\r\n", "\r"])
      for (const last of ["", end]) assert.deepStrictEqual(of(pieces.join(end) + last).vocabulary, pieces)
    const more = of(pieces.join("\n"), { added_tokens_decoder: { "6": { content: "<x>", special: true } } })
    assert.deepStrictEqual([more.vocabulary.at(-1), more.cutInto], ["<x>", 6])
  })

  it("names the file and the field that do not fit", () => {
    const of = (change: object) => refusal({ "tokenizer.json": json({ ...good, ...change }) })
    const vocab = (pieces: unknown) => of({ model: { ...good.model, vocab: pieces } })
    const cases: ReadonlyArray<readonly [TokenizerMismatch, string]> = [
      [refusal({}), "dir/tokenizer.json: expected a readable file, or vocab.txt, got none"],
      [refusal({ "tokenizer.json": bytes("{") }), "dir/tokenizer.json: expected JSON, got something else"],
      [
        refusal({ "tokenizer.json": Uint8Array.of(0xff) }),
        "dir/tokenizer.json: expected text in UTF-8, got other bytes"
      ],
      [refusal({ "tokenizer.json": json([]) }), "dir/tokenizer.json: expected object, got a list of 0"],
      [of({ model: { type: "BPE" } }), 'dir/tokenizer.json: model.type: expected "WordPiece", got "BPE"'],
      [
        of({ pre_tokenizer: { type: "ByteLevel" } }),
        'pre_tokenizer.type: expected "BertPreTokenizer", got "ByteLevel"'
      ],
      [of({ pre_tokenizer: null }), "dir/tokenizer.json: pre_tokenizer: expected"],
      [of({ normalizer: { type: "NFC" } }), "dir/tokenizer.json: normalizer"],
      [of({ post_processor: { type: "RobertaProcessing" } }), "dir/tokenizer.json: post_processor"],
      [
        of({ post_processor: { type: "TemplateProcessing", single: [], pair: [] } }),
        "post_processor: expected [CLS]:0 A:0 [SEP]:0 and [CLS]:0 A:0 [SEP]:0 B:1 [SEP]:1, got  and ;"
      ],
      [vocab({ ...special, a: 6 }), "model.vocab: expected ids 0 … 5, got no piece with id 5"],
      [vocab({ ...special, a: 4 }), "model.vocab: expected ids 0 … 5, got the id 4 twice"],
      [vocab({ ...special, a: -1 }), "dir/tokenizer.json: model.vocab.a: expected"],
      [vocab({ ...special, a: 5.5 }), "dir/tokenizer.json: model.vocab.a: expected an integer, got 5.5"],
      [vocab([]), "dir/tokenizer.json: model.vocab: expected object, got a list of 0"],
      [of({ added_tokens: [{ id: 9, content: "x" }] }), 'added_tokens: "x": expected the id 7, got the id 9'],
      [of({ added_tokens: [{ id: 9, content: "a" }] }), 'added_tokens: "a": expected the id 5, got the id 9'],
      [of({ added_tokens: [{ id: 9 }] }), "dir/tokenizer.json: added_tokens.0.content"],
      [
        refusal({ "tokenizer.json": json(good), "tokenizer_config.json": json({ do_lower_case: "no" }) }),
        'dir/tokenizer_config.json: do_lower_case: expected boolean, got "no"'
      ],
      [
        refusal({ "vocab.txt": bytes("a"), "special_tokens_map.json": json({ pad_token: 3 }) }),
        "dir/special_tokens_map.json: pad_token"
      ]
    ]
    for (const [error, message] of cases) assert.include(error.message, message)
  })

  it("refuses what would take a text's time or the memory", () => {
    const of = (change: object) => refusal({ "tokenizer.json": json({ ...good, ...change }) }).message
    const model = (change: object) => of({ model: { ...good.model, ...change } })
    assert.include(model({ max_input_chars_per_word: 1001 }), "model.max_input_chars_per_word: expected")
    assert.include(model({ continuing_subword_prefix: "#".repeat(101) }), "model.continuing_subword_prefix: expected")
    const tokens = (count: number, length: number) =>
      of({ added_tokens: Array.from({ length: count }, (_, i) => ({ id: 7 + i, content: `${i}`.padEnd(length) })) })
    assert.include(tokens(1, 1001), "expected at most 1000 characters of a token, got more")
    assert.include(
      tokens(600, 1000),
      "dir/tokenizer.json: added_tokens: expected at most 524288 characters of all tokens"
    )
    const lines = refusal({ "vocab.txt": bytes("\n".repeat(2 ** 21 + 1)) }).message
    assert.include(lines, "dir/vocab.txt: expected at most 2097152 pieces, got more")
  })

  it("says what it found on one line, whatever that is", () => {
    const names = json({ cls_token: `\u001b[2J\n${"c".repeat(9999)}` })
    const template = { type: "TemplateProcessing", single: [], pair: [] }
    const told = [
      refusal({ "tokenizer.json": json({ ...good, post_processor: template }), "special_tokens_map.json": names }),
      refusal({ "tokenizer.json": json({ ...good, model: { ...good.model, vocab: { "\n\u2028\u001b": "x" } } }) })
    ]
    for (const { message } of told) {
      assert.notMatch(message, /[\p{Cc}\u2028]/u)
      assert.isBelow(message.length, 1000)
    }
  })

  it("is hurt by no names, depth or paths that a file may hold", () => {
    const polluting = `{"pre_tokenizer":{"type":"BertPreTokenizer"},"normalizer":null,"__proto__":{"polluted":1},
      "added_tokens":[{"id":5,"content":"__proto__","special":true,"__proto__":{"polluted":1}}],
      "model":{"type":"WordPiece","vocab":{${Object.entries(special)
        .map(([piece, id]) => `"${piece}":${id}`)
        .join(",")},"__proto__":5,"constructor":6}}}`
    const { vocabulary } = Result.getOrThrow(tokenizerDefinition({ "tokenizer.json": bytes(polluting) }))
    assert.deepStrictEqual(vocabulary.slice(5), ["__proto__", "constructor"])
    assert.isUndefined(Reflect.get({}, "polluted"))
    const deep = `{"normalizer":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`
    assert.match(refusal({ "tokenizer.json": bytes(deep) }).message, /^dir.tokenizer.json: /)
    const asText = { vocab_file: "/etc/passwd", tokenizer_file: "../../secret", name_or_path: "/etc" }
    const files = { "tokenizer.json": json(good), "tokenizer_config.json": json(asText) }
    assert.deepStrictEqual(tokenizerDefinition(files), tokenizerDefinition({ "tokenizer.json": json(good) }))
  })

  it("gives a definition or a typed error for any files", () => {
    const whole = JSON.stringify(good)
    const damaged = fc.oneof(
      // a byte changed, a stretch left out or repeated
      fc
        .tuple(fc.nat(whole.length), fc.nat(40), fc.string({ unit: "binary", maxLength: 3 }))
        .map(([at, size, put]) => bytes(whole.slice(0, at) + put + whole.slice(at + size))),
      fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => bytes(whole).with(at, byte)),
      fc.nat(whole.length).map((size) => bytes(whole).subarray(0, size)),
      fc.uint8Array({ maxLength: 64 }),
      // a field of another kind
      fc
        .tuple(fc.constantFrom(...Object.keys(good)), fc.jsonValue({ maxDepth: 3 }))
        .map(([key, value]) => json({ ...good, [key]: value })),
      fc
        .tuple(
          fc.constantFrom("type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"),
          fc.jsonValue({ maxDepth: 2 })
        )
        .map(([key, value]) => json({ ...good, model: { ...good.model, [key]: value } })),
      fc
        .dictionary(fc.string(), fc.oneof(fc.nat(8), fc.double()))
        .map((vocab) => json({ ...good, model: { type: "WordPiece", vocab } }))
    )
    const other = fc.oneof(fc.constant(undefined), damaged, fc.jsonValue({ maxDepth: 3 }).map(json))
    const files: fc.Arbitrary<TokenizerBytes> = fc.record({
      "tokenizer.json": fc.oneof(damaged, fc.constant(undefined)),
      "tokenizer_config.json": other,
      "special_tokens_map.json": other,
      "vocab.txt": fc.oneof(
        fc.constant(undefined),
        fc.uint8Array({ maxLength: 64 }),
        fc.string({ unit: "binary" }).map(bytes)
      )
    })
    let read = 0
    fc.assert(
      fc.property(files, (given) => {
        const definition = tokenizerDefinition(given, "dir")
        if (Result.isSuccess(definition)) read++
        else {
          assert.instanceOf(definition.failure, TokenizerMismatch)
          assert.match(
            definition.failure.key,
            /^dir\/(tokenizer|tokenizer_config|special_tokens_map|vocab)\.(json|txt)/
          )
          assert.isBelow(definition.failure.message.length, 1000)
        }
      }),
      { numRuns: 400 }
    )
    assert.isAbove(read, 8)
  })
})
