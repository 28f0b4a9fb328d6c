import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { SpanMetric } from "../../src/evaluate/index.ts"

// what SQuAD's official normalisation (in Python) makes of these
const official: ReadonlyArray<readonly [string, string]> = [
  ["The U.S.  an-other dog's", "us another dogs"],
  ["", ""],
  ["a an the", ""],
  ["A", ""],
  ["Café the é", "café é"],
  ["thé the", "thé"],
  ["An\u00a0apple\u2003pie", "apple pie"],
  ["the\u0085x\u001cy", "x y"],
  ["\ufeffthe cat", "\ufeff cat"],
  ["the_cat a_b", "thecat ab"],
  ["the2 2the", "the2 2the"],
  ["“the” cat…", "“ ” cat…"],
  ["İstanbul ΣΑΣ", "i\u0307stanbul σας"],
  ["anthe the.an", "anthe thean"],
  ["don't—the-man", "dont—theman"],
  ["$5.00 + 3%", "500 3"],
  ["ａ the ａn", "ａ ａn"],
  ["the\u0301 x", "\u0301 x"],
  ["X\u200bthe", "x\u200b"],
  ["日本 the 日本", "日本 日本"]
]

const token = fc.constantFrom("the", "a", "An", "cat", "Cat.", "dog", "dog's", "1", "é", ",", "日本")
const text = fc.array(token, { maxLength: 7 }).map((words) => words.join(" "))
const answers = fc.array(text, { maxLength: 3 })

/** The metric in plain steps: one character at a time, words crossed out one at a time. */
const plain = (prediction: string, golds: ReadonlyArray<string>) => {
  const clean = (raw: string) => {
    const kept = Array.from(raw.toLowerCase())
      .filter((c) => !"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".includes(c))
      .join("")
    return kept.split(" ").filter((word) => !["", "a", "an", "the"].includes(word))
  }
  const left = golds.map(clean).filter((gold) => gold.length > 0)
  let [exact, f1] = [0, 0]
  for (const gold of left.length === 0 ? [[]] : left) {
    const words = clean(prediction)
    if (words.join("|") === gold.join("|")) exact = 1
    const rest = [...gold]
    let same = 0
    for (const word of words) {
      if (!rest.includes(word)) continue
      rest.splice(rest.indexOf(word), 1)
      same++
    }
    const [precision, recall] = [same / words.length, same / gold.length]
    if (words.length === 0 && gold.length === 0) f1 = 1
    else if (same > 0) f1 = Math.max(f1, (2 * precision * recall) / (precision + recall))
  }
  return { exact, f1 }
}

describe("SpanMetric", () => {
  it("normalises as SQuAD's official evaluation", () => {
    for (const [raw, expected] of official) assert.strictEqual(SpanMetric.words(raw).join(" "), expected, raw)
  })

  it("is the best over the right answers, and no answer is right where there is none", () => {
    const { score } = SpanMetric
    assert.deepStrictEqual(score("the Black cat!", ["dog", "black cat"]), { exact: 1, f1: 1 })
    assert.deepStrictEqual(score("black cat", ["a cat", "one black dog"]), { exact: 0, f1: 2 / 3 })
    assert.deepStrictEqual(score("cat cat", ["cat"]), { exact: 0, f1: 2 / 3 })
    assert.deepStrictEqual(score("", ["cat"]), { exact: 0, f1: 0 })
    assert.deepStrictEqual(score("cat", []), { exact: 0, f1: 0 })
    assert.deepStrictEqual(score("The.", ["a"]), { exact: 1, f1: 1 })
    assert.deepStrictEqual(score("", ["the", "cat"]), { exact: 0, f1: 0 })
  })

  it("agrees with a plain count", () => {
    fc.assert(
      fc.property(text, answers, (prediction, golds) => {
        const [found, expected] = [SpanMetric.score(prediction, golds), plain(prediction, golds)]
        assert.strictEqual(found.exact, expected.exact)
        assert.closeTo(found.f1, expected.f1, 1e-12)
      })
    )
  })

  it("has exact match below F1 in [0, 1], both 1 for the answer itself, F1 alike both ways, and never lower for one more answer", () => {
    fc.assert(
      fc.property(text, text, answers, (one, other, golds) => {
        const { exact, f1 } = SpanMetric.score(one, golds)
        assert.isTrue(0 <= exact && exact <= f1 && f1 <= 1)
        assert.deepStrictEqual(SpanMetric.score(one, [one]), { exact: 1, f1: 1 })
        assert.strictEqual(SpanMetric.score(one, [other]).f1, SpanMetric.score(other, [one]).f1)
        if (SpanMetric.words(one).length === 0 || golds.length === 0) return
        assert.isAtLeast(SpanMetric.score(one, [...golds, other]).f1, f1)
      })
    )
  })

  it("is over many questions the mean of each", () => {
    const found = SpanMetric.mean(["cat", "red dog", ""], [["cat"], ["dog"], ["dog"]])
    assert.closeTo(found.exact, 1 / 3, 1e-12)
    assert.closeTo(found.f1, 5 / 9, 1e-12)
  })
})
