import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { covering, textPieces } from "../../src/data/TextPieces.ts"
import { loadTokenizer, tokenizerDirectory } from "../../src/data/Tokenizer.ts"
import { run } from "./brown.ts"
import { casedFiles, tokenizerOf } from "./tokenizers.ts"

const tokenizer = await run(Effect.flatMap(tokenizerDirectory, loadTokenizer))

const word = fc.constantFrom(
  "The",
  "café",
  "cafe\u0301s",
  "1970s",
  "don't",
  "U.S.",
  "🗼",
  "東京",
  "Ünited",
  "a+b",
  "—",
  "running"
)
const texts = fc
  .array(fc.tuple(word, fc.constantFrom(" ", "  ", "\n", "")), { maxLength: 12 })
  .map((parts) => parts.flat().join(""))

const plain = (text: string) =>
  text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase()

describe("textPieces", () => {
  it("gives the pieces that the tokenizer gives for the words between white space", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const words = text.split(/\s+/).filter((word) => word !== "")
        assert.deepStrictEqual(
          textPieces(tokenizer, text).ids,
          words.flatMap((word) => [...tokenizer.encode(word)])
        )
      })
    )
  })

  it("tells of each known piece the characters it spells, in order and without overlap", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { ids, from, to } = textPieces(tokenizer, text)
        ids.forEach((id, n) => {
          const piece = tokenizer.vocabulary[id] ?? ""
          const [begin, end] = [from[n] ?? -1, to[n] ?? -1]
          if (piece !== "[UNK]") assert.strictEqual(plain(text.slice(begin, end)), piece.replace(/^##/, ""))
          assert.isBelow(begin, end)
          assert.isAtLeast(begin, n === 0 ? 0 : (to[n - 1] ?? 0))
        })
      })
    )
  })
})

describe("textPieces of a cased vocabulary", () => {
  it("spells the text with its capitals and accents", () => {
    const cased = tokenizerOf(casedFiles)
    const text = " CAFÉ, Paris"
    const { ids, from, to } = textPieces(cased, text)
    assert.deepStrictEqual(ids, cased.encode(text))
    assert.deepStrictEqual(
      ids.map((id, n) => [cased.vocabulary[id], text.slice(from[n], to[n])]),
      [
        ["CAFÉ", "CAFÉ"],
        [",", ","],
        ["Paris", "Paris"]
      ]
    )
  })
})

describe("covering", () => {
  it("is the fewest pieces whose characters hold a stretch, as a search over all pairs finds them", () => {
    fc.assert(
      fc.property(texts, fc.nat(30), fc.integer({ min: 1, max: 12 }), (text, from, size) => {
        const pieces = textPieces(tokenizer, text)
        const inside = pieces.ids
          .map((_, n) => n)
          .filter((n) => (pieces.from[n] ?? 0) < from + size && (pieces.to[n] ?? 0) > from)
        const expected = inside.length === 0 ? undefined : { first: inside[0], last: inside.at(-1) }
        assert.deepStrictEqual(covering(pieces, from, from + size), expected)
      })
    )
  })
})
