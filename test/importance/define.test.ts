import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { tf } from "homodistil/backend"
import * as Scorer from "homodistil/importance"
import { ConfigError } from "homodistil/spec"
import { PeakGradient } from "../../examples/ownScorer.ts"

describe("define", () => {
  it("takes at most fifteen lines, in a file outside the rooms", () => {
    const text = readFileSync(new URL("../../examples/ownScorer.ts", import.meta.url), "utf8")
    assert.isAtMost(text.trimEnd().split("\n").length, 15)
    const scorer = PeakGradient.make({ fade: 0.9 })
    assert.deepStrictEqual(scorer.spec, { name: "peakGradient", version: 1, options: { fade: 0.9 } })
  })

  it("checks options, and knows no others", () => {
    assert.throws(() => PeakGradient.make({ fade: 2 }), /peakGradient\.fade = 2/)
    const misspelt = JSON.parse('{ "fade": 0.5, "window": 3 }') as { readonly fade: number }
    assert.throws(() => PeakGradient.make(misspelt), /peakGradient\.window = 3/)
  })

  it("is the scorer itself where there are no options", () => {
    const scorer = Scorer.define({ name: "own", version: 3, score: (_, { param }) => tf.square(param) })
    assert.deepStrictEqual(
      [scorer.spec, scorer.slots, scorer.scalars(5)],
      [{ name: "own", version: 3, options: {} }, [], {}]
    )
  })

  it("keeps dots in slot names for scorers inside others", () => {
    const define = () => Scorer.define({ name: "own", slots: ["inner.mean"], score: (_, { param }) => param })
    assert.throws(define, ConfigError, /own\.slots = inner\.mean/)
  })

  it("misses a slot aloud", () => {
    assert.throws(
      () => Scorer.movement().score({}, { param: tf.scalar(1), noise: () => tf.scalar(0) }),
      /a scorer needs moved/
    )
  })
})
