import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { tokenize, wordBounds } from "../../src/data/Document.ts"
import { toyTokenizer } from "./brown.ts"

const word = fc.record({ pieces: fc.array(fc.integer({ min: 5, max: 99 }), { maxLength: 3 }), tag: fc.nat(11) })

describe("tokenize", () => {
  it("keeps pieces, tags and sentence bounds in order", () => {
    fc.assert(
      fc.property(fc.array(fc.array(word, { maxLength: 6 }), { maxLength: 6 }), (sentences) => {
        const document = tokenize(
          {
            file: "ca01",
            genre: 3,
            sentences: sentences.map((sentence) => ({
              words: sentence.map(({ pieces }) => pieces.map((piece) => `w${piece}`).join("")),
              tags: sentence.map(({ tag }) => tag)
            }))
          },
          toyTokenizer
        )
        const flat = sentences.flat()
        assert.deepStrictEqual(
          [...document.ids.subarray()],
          flat.flatMap(({ pieces }) => pieces)
        )
        assert.deepStrictEqual(
          [...document.tags],
          flat.flatMap(({ pieces, tag }) => pieces.map((_, i) => (i === 0 ? tag : -1)))
        )
        const lengths = sentences
          .map((sentence) => sentence.flatMap(({ pieces }) => pieces).length)
          .filter((n) => n > 0)
        const bounds = [...document.sentences]
        assert.deepStrictEqual(
          bounds.slice(1).map((end, i) => end - (bounds[i] ?? 0)),
          lengths
        )
        assert.strictEqual(bounds[0], 0)
      })
    )
  })
})

describe("wordBounds", () => {
  it("is where each word of a sentence begins, and the sentence's end", () => {
    const words = (...words: ReadonlyArray<string>) => ({ words, tags: words.map(() => 0) })
    const sentences = [words("w5", "w6w7"), words("w8w9w10", "w11", "w12")]
    const document = tokenize({ file: "ca01", genre: 0, sentences }, toyTokenizer)
    assert.deepStrictEqual(wordBounds(document, 0), [0, 1, 3])
    assert.deepStrictEqual(wordBounds(document, 1), [3, 6, 7, 8])
  })
})
