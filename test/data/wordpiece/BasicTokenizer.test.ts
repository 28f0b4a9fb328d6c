import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  basicParts,
  basicWords,
  normalise,
  spaceOf,
  type TextRules,
  uncased
} from "../../../src/data/wordpiece/BasicTokenizer.ts"
import { tokenizerOf, shippedFiles } from "../tokenizers.ts"

const rules: fc.Arbitrary<TextRules> = fc.record({
  cleanText: fc.boolean(),
  chineseCharacters: fc.boolean(),
  stripAccents: fc.boolean(),
  lowerCase: fc.boolean()
})
const unit = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom(
    "Σ",
    "E\u0301",
    "İ",
    "東",
    "a\u200bb",
    "\u0085",
    "\u000b",
    ".",
    "-",
    " ",
    "\t",
    "\u3000",
    "\ufeff",
    "\ud800"
  )
)
const texts = fc.array(unit, { maxLength: 8 }).map((units) => units.join(""))

const words = (text: string, by: TextRules) => basicWords(normalise(text, by))

describe("normalise", () => {
  it("does one thing for each rule", () => {
    const none = { cleanText: false, chineseCharacters: false, stripAccents: false, lowerCase: false }
    const text = "Á\u0000\tΣ東"
    assert.strictEqual(normalise(text, none), text)
    assert.strictEqual(normalise(text, { ...none, cleanText: true }), "Á Σ東")
    assert.strictEqual(normalise(text, { ...none, chineseCharacters: true }), "Á\u0000\tΣ 東 ")
    assert.strictEqual(normalise(text, { ...none, stripAccents: true }), "A\u0000\tΣ東")
    assert.strictEqual(normalise(text, { ...none, lowerCase: true }), "á\u0000\tσ東")
    assert.strictEqual(normalise("a\ud800b", none), "a\ufffdb")
  })

  it("makes the same words of a text that was cut at white space before", () => {
    fc.assert(
      fc.property(texts, rules, (text, by) => {
        assert.deepStrictEqual(
          text.split(spaceOf(by)).flatMap((part) => words(part, by)),
          words(text, by)
        )
      }),
      { numRuns: 500 }
    )
  })

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = normalise(text, uncased).replaceAll(/ +/g, " ").trim()
        assert.strictEqual(normalise(once, uncased).replaceAll(/ +/g, " ").trim(), once)
      })
    )
  })
})

describe("basicWords", () => {
  it("leaves out white space alone, and joins no punctuation with anything", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const cut = basicWords(text)
        assert.strictEqual(cut.join(""), text.replaceAll(/\p{White_Space}/gu, ""))
        for (const word of cut) if (/[!-/:-@[-`{-~]/.test(word)) assert.strictEqual(word.length, 1)
      })
    )
  })
})

describe("basicParts", () => {
  it("are parts whose pieces together are those of the text", () => {
    const tokenizer = tokenizerOf(shippedFiles)
    fc.assert(
      fc.property(texts, (text) => {
        const plain = text.replaceAll("[", "")
        assert.deepStrictEqual(
          (plain.match(basicParts) ?? []).flatMap((part) => tokenizer.encode(part)),
          tokenizer.encode(plain)
        )
      }),
      { numRuns: 500 }
    )
  })
})
