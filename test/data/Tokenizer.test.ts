import { readFileSync } from "node:fs"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { parseBrown } from "../../src/data/Corpus.ts"
import * as Tokenizer from "../../src/data/Tokenizer.ts"
import { Digest } from "../../src/spec/index.ts"
import { real, run } from "./brown.ts"

const asset = (name: string) => readFileSync(new URL(`../../assets/tokenizer/${name}`, import.meta.url), "utf8")
const Golden = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ text: Schema.String, ids: Schema.Array(Schema.Int) }))
)
const golden = Schema.decodeUnknownSync(Golden)(
  readFileSync(new URL("../golden/tokenizer.json", import.meta.url), "utf8")
)

describe("the committed tokenizer", () => {
  let tokenizer: Tokenizer.Tokenizer
  let sentences: ReadonlyArray<ReadonlyArray<string>>
  beforeAll(async () => {
    const loaded = await run(real)
    tokenizer = loaded.tokenizer
    sentences = ["ca01", "cj30", "cr09", "cp12"].flatMap((file) =>
      parseBrown(file, loaded.corpus.texts.get(file) ?? "").sentences.map((sentence) => sentence.words)
    )
  }, 60_000)

  const words = (text: string) => text.split(/\s+/).filter((word) => word !== "")

  it("cuts as Python's tokenizers does", () => {
    assert.isAbove(golden.length, 20)
    for (const { text, ids } of golden) assert.deepStrictEqual(words(text).flatMap(tokenizer.encode), ids, text)
  })

  it("makes of a sentence what it makes of its words", () => {
    assert.isAbove(sentences.length, 300)
    fc.assert(
      fc.property(fc.constantFrom(...sentences), (sentence) => {
        assert.deepStrictEqual(tokenizer.encode(sentence.join(" ")), sentence.flatMap(tokenizer.encode))
      }),
      { numRuns: 300 }
    )
  })

  it("spells each ordinary word of the corpus in order", () => {
    for (const word of new Set(sentences.flat())) {
      const spelled = tokenizer.encode(word).map((id) => tokenizer.vocabulary[id]?.replace(/^##/, ""))
      assert.strictEqual(spelled.join(""), word.toLowerCase())
    }
  })

  it("has 4,096 pieces, the special ones first, as vocab.txt has them", () => {
    assert.strictEqual(tokenizer.vocabulary.length, 4096)
    assert.deepStrictEqual(tokenizer.vocabulary.slice(0, 5), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    assert.strictEqual(tokenizer.vocabulary.indexOf("[MASK]"), Tokenizer.specialIds.mask)
    assert.strictEqual(tokenizer.digest, Digest.ofBytes(asset("vocab.txt")))
  })

  it("tells another vocabulary by its size and by its digest", async () => {
    const wanted = (size: number, digest?: string) =>
      Tokenizer.expectVocabulary(tokenizer, { by: "the teacher", size, ...(digest === undefined ? {} : { digest }) })
    await run(wanted(4096, tokenizer.digest))
    await run(wanted(4096))
    assert.match(
      (await run(Effect.flip(wanted(30522)))).message,
      /teacher: expected 30522 pieces, got 4096 pieces; use/
    )
    assert.match((await run(Effect.flip(wanted(4096, "0".repeat(64))))).message, /expected digest 000000000000, got/)
  })
})

describe("tokenizerOfJson", () => {
  const config = asset("tokenizer_config.json")
  const refused = (json: string, settings = config) => run(Effect.flip(Tokenizer.tokenizerOfJson(json, settings)))
  const withVocabulary = (vocab: Record<string, number>) =>
    JSON.stringify({ normalizer: null, pre_tokenizer: null, model: { type: "WordPiece", vocab } })

  it("refuses what is not a vocabulary of this kind, in one line", async () => {
    const special = { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4 }
    const errors = await Promise.all([
      refused("{"),
      refused('{"model": {"type": "BPE"}}'),
      refused(withVocabulary({ ...special, a: 6 })),
      refused(withVocabulary({ a: 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4 })),
      refused(withVocabulary(special), "[]")
    ])
    for (const error of errors) {
      assert.instanceOf(error, Tokenizer.TokenizerMismatch)
      assert.notInclude(error.message, "\n")
    }
    assert.match(errors[2]?.message ?? "", /ids 0 … 5, got no piece with id 5/)
    assert.match(errors[3]?.message ?? "", /got a \[UNK\]/)
  })

  it("says which file is missing", async () => {
    const error = await run(Effect.flip(Tokenizer.loadTokenizer("nowhere")))
    assert.match(error.message, /nowhere.tokenizer.json: expected a readable file/)
  })
})
