import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { wordPiece } from "../../../src/data/wordpiece/WordPiece.ts"

const letters = fc.string({ unit: fc.constantFrom("a", "b", "é", "🙂"), minLength: 1, maxLength: 4 })
const vocabulary = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom("", "##"), letters).map((parts) => parts.join("")),
    { minLength: 1, maxLength: 12 }
  )
  .map((pieces) => new Map(pieces.map((piece, n) => [piece, n + 1])))
const word = fc.string({ unit: fc.constantFrom("a", "b", "é", "🙂"), maxLength: 12 })

/** The longest piece first, at each place, in characters: a plain loop. */
const plainly = (pieces: ReadonlyMap<string, number>, text: string, longestWord: number): ReadonlyArray<number> => {
  const characters = Array.from(text)
  if (characters.length > longestWord) return [0]
  const ids: Array<number> = []
  let from = 0
  while (from < characters.length) {
    const fitting = characters
      .map((_, n) => n + 1)
      .filter((to) => to > from)
      .filter((to) => pieces.has((from === 0 ? "" : "##") + characters.slice(from, to).join("")))
    const to = fitting.at(-1)
    if (to === undefined) return [0]
    ids.push(pieces.get((from === 0 ? "" : "##") + characters.slice(from, to).join("")) ?? -1)
    from = to
  }
  return ids
}

describe("wordPiece", () => {
  it("takes the longest piece at each place, or is unknown as a whole", () => {
    fc.assert(
      fc.property(vocabulary, word, fc.integer({ min: 4, max: 12 }), (pieces, text, longestWord) => {
        const cut = wordPiece(pieces, { unknown: 0, prefix: "##", longestWord })
        assert.deepStrictEqual(cut(text), plainly(pieces, text, longestWord))
      }),
      { numRuns: 500 }
    )
  })

  it("counts characters, not their UTF-16 units, towards the longest word", () => {
    const cut = wordPiece(
      new Map([
        ["🙂", 1],
        ["##🙂", 2]
      ]),
      { unknown: 0, prefix: "##", longestWord: 100 }
    )
    assert.strictEqual(cut("🙂".repeat(100)).length, 100)
    assert.deepStrictEqual(cut("🙂".repeat(101)), [0])
  })

  it("takes no longer for one very long piece", () => {
    const pieces = new Map([
      ["a", 1],
      ["##a", 2],
      [`##${"a".repeat(20_000)}b`, 3]
    ])
    const cut = wordPiece(pieces, { unknown: 0, prefix: "##", longestWord: 50_000 })
    assert.strictEqual(cut("a".repeat(20_000)).length, 20_000)
    assert.deepStrictEqual(cut(`${"a".repeat(20_001)}b`), [1, 3])
  })
})
