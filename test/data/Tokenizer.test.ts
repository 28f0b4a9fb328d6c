import { assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { parseBrown } from "../../src/data/Corpus.ts"
import { tokenize } from "../../src/data/Document.ts"
import * as Tokenizer from "../../src/data/Tokenizer.ts"
import { Digest } from "../../src/spec/index.ts"
import { real, run } from "./brown.ts"
import { bytes, casedFiles, golden, shippedFiles, tokenizerOf } from "./tokenizers.ts"

const Sentences = Schema.fromJsonString(
  Schema.Array(Schema.Struct({ text: Schema.String, ids: Schema.Array(Schema.Int) }))
)
const sentencesOfPython = Schema.decodeUnknownSync(Sentences)(
  readFileSync(new URL("../golden/tokenizer.json", import.meta.url), "utf8")
)

const object = Schema.Record(Schema.String, Schema.Unknown)
const decodeFile = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.Struct({ model: object, normalizer: object, added_tokens: Schema.Array(Schema.Unknown) })
  )
)

const shipped = tokenizerOf(shippedFiles)
const cased = tokenizerOf(casedFiles)

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
    assert.isAbove(sentencesOfPython.length, 20)
    for (const { text, ids } of sentencesOfPython) {
      assert.deepStrictEqual(words(text).flatMap(tokenizer.encode), ids, text)
      assert.deepStrictEqual(tokenizer.encode(text), ids, text)
    }
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
    assert.deepStrictEqual(tokenizer.special, { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 })
    assert.deepStrictEqual(
      [...tokenizer.ordinary],
      Array.from({ length: 4091 }, (_, n) => n + 5)
    )
    assert.strictEqual(tokenizer.digest, Digest.ofBytes(shippedFiles["vocab.txt"]))
  })

  it("keeps the spec that cells made with it have in their keys", () => {
    assert.deepStrictEqual(tokenizer.spec, {
      name: "wordPiece",
      version: 1,
      options: {
        size: 4096,
        vocabulary: "c8f5e61c638658b5b278e4096db68d362fee47d6641bb5c351261fd6d4492ea6",
        rules: "b4d6a2f9e3dc298d49e74308bfef9c0887749e5539afc910ee4d4cd22e4e7b07"
      }
    })
  })

  it("tells another vocabulary by its size and by its digest", async () => {
    const wanted = (size: number, more: { readonly digest?: string; readonly padded?: boolean } = {}) =>
      Tokenizer.expectVocabulary(tokenizer, { by: "the teacher", size, ...more })
    await run(wanted(4096, { digest: tokenizer.digest }))
    await run(wanted(4096))
    await run(wanted(4104, { padded: true }))
    const refused = async (error: ReturnType<typeof wanted>) => (await run(Effect.flip(error))).message
    assert.match(await refused(wanted(30522)), /teacher: expected 30522 pieces, got 4096 pieces; use/)
    assert.match(await refused(wanted(4095, { padded: true })), /expected 4095 pieces, got 4096/)
    assert.match(await refused(wanted(4096, { digest: "0".repeat(64) })), /expected digest 000000000000, got/)
  })
})

describe("a tokenizer of Hugging Face files", () => {
  it("cuts awkward texts as Python's tokenizers does, with either vocabulary", () => {
    assert.isAbove(golden.texts.length, 300)
    for (const { text, project, cased: ids } of golden.texts) {
      assert.deepStrictEqual(shipped.encode(text), project, JSON.stringify(text))
      assert.deepStrictEqual(cased.encode(text), ids, JSON.stringify(text))
    }
  })

  it("is the same from vocab.txt alone as from tokenizer.json", () => {
    const plain = tokenizerOf({ "vocab.txt": shippedFiles["vocab.txt"] })
    assert.deepStrictEqual(plain.spec, shipped.spec)
    for (const { text, project } of golden.texts) assert.deepStrictEqual(plain.encode(text), project)
  })

  it("knows its special pieces wherever they are", () => {
    assert.deepStrictEqual(cased.special, { pad: 0, unknown: 4, cls: 5, sep: 6, mask: 7 })
    assert.deepStrictEqual(cased.encode("[MASK] [unused1] [PAD]").slice(0, 1), [7])
    assert.deepStrictEqual([...cased.ordinary], Array.from(cased.vocabulary.keys()).slice(8))
  })

  it("cuts words alone as in their text, never throws, and gives ids that there are", () => {
    const unit = fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
      // lone surrogates, too
      {
        weight: 1,
        arbitrary: fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 6 })
      },
      { weight: 2, arbitrary: fc.constantFrom(...golden.texts.map(({ text }) => text)) }
    )
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 6 }), fc.constantFrom(shipped, cased), (units, tokenizer) => {
        const ids = tokenizer.encode(units.join(" "))
        assert.deepStrictEqual(units.flatMap(tokenizer.encode), ids)
        for (const id of ids) assert.isTrue(Number.isInteger(id) && id >= 0 && id < tokenizer.vocabulary.length)
      }),
      { numRuns: 500 }
    )
  })

  it("remembers words and gives the same ids again", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 8 }), { maxLength: 8 }), (words) => {
        const fresh = Tokenizer.tokenizerOfVocabulary(shipped.vocabulary, (word) => Array.from(word, () => 7))
        const once = words.map(fresh.encode)
        assert.deepStrictEqual(words.map(fresh.encode), once)
      })
    )
  })

  it("gets the words of the corpus as they are printed", async () => {
    const { corpus } = await run(real)
    const file = parseBrown("ca01", corpus.texts.get("ca01") ?? "")
    const words = file.sentences.flatMap((sentence) => sentence.words)
    const count = (tokenizer: Tokenizer.Tokenizer, piece: string) =>
      tokenize(file, tokenizer)
        .ids.subarray()
        .filter((id) => id === tokenizer.vocabulary.indexOf(piece)).length
    const printed = (word: string) => words.filter((other) => other === word).length
    assert.isAbove(printed("The"), 5)
    // longer words, such as Then, begin with this piece, too
    assert.isAtLeast(count(cased, "The"), printed("The"))
    assert.isAtLeast(count(cased, "the"), printed("the"))
    assert.isAtLeast(count(shipped, "the"), printed("The") + printed("the"))
    assert.deepStrictEqual([...tokenize(file, cased).ids.subarray()], words.flatMap(cased.encode))
  })

  it("has another spec when anything that decides its pieces is another", () => {
    const file = decodeFile(new TextDecoder().decode(shippedFiles["tokenizer.json"]))
    const { model, normalizer, added_tokens: added } = file
    const changed = (key: string, value: unknown, config = {}) =>
      tokenizerOf({
        "tokenizer.json": bytes(JSON.stringify({ ...file, pre_tokenizer: { type: "BertPreTokenizer" }, [key]: value })),
        "tokenizer_config.json": bytes(JSON.stringify(config))
      })
    const specs = [
      shipped,
      changed("model", { ...model, max_input_chars_per_word: 50 }),
      changed("model", { ...model, continuing_subword_prefix: "#" }),
      changed("normalizer", { ...normalizer, lowercase: false }),
      changed("normalizer", null),
      changed("added_tokens", [...added, { id: 4096, content: "[X]", special: true }]),
      changed("normalizer", normalizer, { strip_accents: false })
    ].map(({ spec }) => JSON.stringify(spec))
    assert.strictEqual(new Set(specs).size, specs.length)
    assert.strictEqual(JSON.stringify(changed("normalizer", normalizer).spec), specs[0])
    assert.strictEqual(JSON.stringify(changed("normalizer", normalizer, { do_lower_case: true }).spec), specs[0])
  })
})

describe("loadTokenizer", () => {
  it("says which file is missing", async () => {
    const error = await run(Effect.flip(Tokenizer.loadTokenizer("nowhere")))
    assert.match(error.message, /nowhere.tokenizer.json: expected a readable file, or vocab.txt, got none/)
  })

  it("takes no file that is there but cannot be read for one that is missing", async () => {
    const message = await run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        yield* fs.writeFile(`${folder}/vocab.txt`, casedFiles["vocab.txt"])
        yield* fs.makeDirectory(`${folder}/tokenizer_config.json`)
        return (yield* Effect.flip(Tokenizer.loadTokenizer(folder))).message
      }).pipe(Effect.scoped)
    )
    assert.match(message, /tokenizer_config\.json: expected a readable file of at most \d+ bytes, got Directory; /)
  })
})
