import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type AddedToken, splitByTokens } from "../../../src/data/wordpiece/AddedTokens.ts"
import { bytes, golden, shippedFiles, tokenizerOf } from "../tokenizers.ts"

const content = fc.string({ unit: fc.constantFrom("a", "b", "[", "東"), minLength: 1, maxLength: 3 })
const tokens: fc.Arbitrary<ReadonlyArray<AddedToken>> = fc
  .uniqueArray(fc.record({ content, singleWord: fc.boolean() }), { selector: (token) => token.content, maxLength: 6 })
  .map((all) => all.map((token, id) => ({ ...token, id, special: false, normalised: false })))
const texts = fc.string({ unit: fc.constantFrom("a", "b", "[", "東", " "), maxLength: 16 })

/** All tokens tried at each place, the longest first. */
const plainly = (all: ReadonlyArray<AddedToken>, text: string): ReadonlyArray<string | number> => {
  const parts: Array<string | number> = []
  let between = ""
  const close = () => {
    if (between !== "") parts.push(between)
    between = ""
  }
  const isLetter = (character: string | undefined) => character !== undefined && /[ab東]/.test(character)
  for (let at = 0; at < text.length;) {
    const found = all
      .filter((token) => text.startsWith(token.content, at))
      .toSorted((a, b) => b.content.length - a.content.length)[0]
    const size = found?.content.length ?? 1
    if (found === undefined || (found.singleWord && (isLetter(text[at - 1]) || isLetter(text[at + size]))))
      between += text.slice(at, at + size)
    else {
      close()
      parts.push(found.id)
    }
    at += size
  }
  close()
  return parts
}

describe("splitByTokens", () => {
  it("finds the leftmost, of several the longest, and single words alone", () => {
    fc.assert(
      fc.property(tokens, texts, (all, text) => assert.deepStrictEqual(splitByTokens(all)(text), plainly(all, text))),
      { numRuns: 500 }
    )
  })

  it("loses no character", () => {
    fc.assert(
      fc.property(tokens, texts, (all, text) => {
        const whole = splitByTokens(all)(text).map((part) => (typeof part === "number" ? all[part]?.content : part))
        assert.strictEqual(whole.join(""), text)
      })
    )
  })

  it("lets a tokenizer find added tokens as Python's tokenizers does, in the text or in what becomes of it", () => {
    const whole = new TextDecoder().decode(shippedFiles["tokenizer.json"])
    assert.isAtLeast(golden.added.length, 20)
    for (const { tokens: added_tokens, cases } of golden.added) {
      const file: unknown = JSON.parse(whole)
      const tokenizer = tokenizerOf({
        "tokenizer.json": bytes(JSON.stringify(Object.assign({}, file, { added_tokens })))
      })
      for (const { text, ids } of cases)
        assert.deepStrictEqual(tokenizer.encode(text), ids, JSON.stringify([text, added_tokens.slice(5)]))
    }
  })
})
