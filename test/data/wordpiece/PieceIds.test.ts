import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { bertNames, pieceIdsOf } from "../../../src/data/wordpiece/PieceIds.ts"
import { ConfigError } from "../../../src/spec/index.ts"

const names = Object.values(bertNames)

/** Vocabularies with the special pieces and free ones anywhere. */
const vocabularies = fc
  .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(5))
  .chain(([words, free]) =>
    fc.shuffledSubarray(
      [
        ...names,
        ...Array.from({ length: words }, (_, n) => `w${n}`),
        ...Array.from({ length: free }, (_, n) => `[unused${n}]`)
      ],
      { minLength: 5 + words + free }
    )
  )

describe("pieceIdsOf", () => {
  it("finds the special pieces wherever they are, and all that is text", () => {
    fc.assert(
      fc.property(vocabularies, (vocabulary) => {
        const { special, ordinary } = pieceIdsOf(vocabulary)
        assert.deepStrictEqual(
          [special.pad, special.unknown, special.cls, special.sep, special.mask].map((id) => vocabulary[id]),
          names
        )
        assert.deepStrictEqual(
          [...ordinary],
          [...vocabulary.keys()].filter((id) => vocabulary[id]?.startsWith("w"))
        )
      })
    )
  })

  it("takes other names, and leaves out what else is no text", () => {
    const { special, ordinary } = pieceIdsOf(
      ["<p>", "<u>", "<s>", "</s>", "<m>", "a", "b", "<x>"],
      {
        pad: "<p>",
        unknown: "<u>",
        cls: "<s>",
        sep: "</s>",
        mask: "<m>"
      },
      [7]
    )
    assert.deepStrictEqual([special, [...ordinary]], [{ pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 }, [5, 6]])
  })

  it("says all that a vocabulary lacks", () => {
    try {
      pieceIdsOf(["[PAD]", "[CLS]", "[SEP]"])
      assert.fail("nothing was refused")
    } catch (error) {
      assert.instanceOf(error, ConfigError)
      assert.deepStrictEqual(
        error.problems.map(({ value }) => value),
        ["[UNK]", "[MASK]", "3 pieces"]
      )
    }
  })
})
