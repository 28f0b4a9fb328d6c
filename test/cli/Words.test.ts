import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Words from "../../src/cli/Words.ts"

describe("Words", () => {
  it("says durations as people do", () =>
    assert.deepStrictEqual([0, 8.44, 9.96, 99, 100, 3599, 3600, 90_000].map(Words.duration), [
      "0.0 s",
      "8.4 s",
      "10 s",
      "99 s",
      "1 min 40 s",
      "59 min 59 s",
      "1 h 0 min",
      "25 h 0 min"
    ]))

  it("says numbers in three digits", () => {
    assert.deepStrictEqual([0, 0.01234, 1.4949, 41.25, 999.7, -2.5, 1e-5, Number.NaN].map(Words.short), [
      "0",
      "0.0123",
      "1.49",
      "41.3",
      "1000",
      "-2.50",
      "1.0e-5",
      "NaN"
    ])
    assert.deepStrictEqual([812, 4119, 411_904, 999_499, 1_353_216].map(Words.amount), [
      "812",
      "4.12k",
      "412k",
      "999k",
      "1.35M"
    ])
  })

  const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 20 })

  it("lets no line be wider than asked for, and loses nothing that fits", () =>
    fc.assert(
      fc.property(words, fc.integer({ min: 16, max: 60 }), (parts, width) => {
        const lines = Words.flow(parts, width)
        for (const line of lines) assert.isAtMost(line.length, width)
        assert.deepStrictEqual(
          lines
            .join(" ")
            .split(/\s+/)
            .filter((word) => word !== ""),
          parts
        )
        const wrapped = Words.wrap(parts.join(" "), width)
        for (const line of wrapped) assert.isAtMost(line.length, width)
        assert.strictEqual(wrapped.join(" "), parts.join(" "))
      })
    ))

  it("cuts a part that fits nowhere", () => assert.deepStrictEqual(Words.flow(["abcdefgh"], 5), ["abcd…"]))
})
