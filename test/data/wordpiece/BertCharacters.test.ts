import { assert, describe, it } from "@effect/vitest"
import {
  accents,
  chinese,
  decomposable,
  ideographs,
  punctuation,
  removed
} from "../../../src/data/wordpiece/BertCharacters.ts"
import { golden } from "../tokenizers.ts"

/** The code points of ranges such as "21-2f 3a". */
const members = (ranges: string): ReadonlySet<number> =>
  new Set(
    ranges.split(" ").flatMap((range) => {
      const [from = 0, to = from] = range.split("-").map((hex) => Number.parseInt(hex, 16))
      return Array.from({ length: to - from + 1 }, (_, n) => from + n)
    })
  )

describe("the classes of characters", () => {
  it("are those of Python's tokenizers, at each of Unicode's code points", () => {
    const all = Array.from({ length: 0x110000 }, (_, code) => code).filter((code) => code < 0xd800 || code >= 0xe000)
    const text = all.map((code) => String.fromCodePoint(code)).join("")
    const classes = {
      punctuation: new RegExp(`[${punctuation}]`, "gu"),
      accents,
      removed,
      ideographs,
      spaces: /\p{White_Space}/gu
    }
    for (const [name, each] of Object.entries(classes)) {
      const found = new Set((text.match(each) ?? []).map((character) => character.codePointAt(0)))
      const expected = members(golden.characters[name] ?? "")
      assert.isAbove(expected.size, 20, name)
      assert.deepStrictEqual([...found], [...expected], name)
    }
    assert.strictEqual(ideographs.source, `[${chinese}]`)
  })

  it("leave whole what decomposes only since Unicode 13", () => {
    assert.deepStrictEqual("é\u{105c9}é\u{16d6a}".match(decomposable), ["é", "é"])
    assert.notStrictEqual("\u{105c9}".normalize("NFD"), "\u{105c9}")
  })
})
