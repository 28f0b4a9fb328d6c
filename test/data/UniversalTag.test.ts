import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { tagClass, universalTag, universalTags } from "../../src/data/UniversalTag.ts"

const cases = {
  NOUN: ["nn", "nns-hl", "np-tl", "np$", "nns$-tl", "nr", "nrs", "nr$", "nn+bez", "np+hvz-nc"],
  VERB: ["vb", "vbd", "vbn-tl-hl", "bedz*", "md*", "doz", "hvg", "vb+ppo", "md+hv", "bez*"],
  ADJ: ["jj", "jjr-hl", "jjt", "ap", "ap$", "od-tl"],
  ADV: ["rb", "rb$", "rbt", "rn", "ql", "qlp", "wrb+bez", "wql", "*", "*-hl"],
  PRON: ["pps", "ppss+bem", "ppo", "ppls", "pp$$", "pn$", "wps+bez", "wpo", "ex+bez", "ppss+ber-n"],
  DET: ["at-tl", "dt", "dt+bez", "dti", "dts", "dtx", "abn", "abx", "abl", "pp$", "pp$-tl", "wdt", "wp$"],
  ADP: ["in", "in-tl", "in+ppo"],
  NUM: ["cd", "cd-tl-hl", "cd$"],
  CONJ: ["cc", "cs-hl"],
  PRT: ["rp", "rp+in", "to", "to+vb"],
  ".": [".", ".-hl", ",", ",-tl", ":", "(", ")-hl", "--", "---hl", "'", "``", "''"],
  X: ["uh", "nil", "", "fw-nn", "fw-in+at-t", "fw-*", "zz"]
} as const

describe("universalTag", () => {
  it("maps the known cases", () => {
    for (const tag of universalTags) {
      for (const brown of cases[tag]) assert.strictEqual(universalTag(brown), tag, `of ${brown}`)
    }
  })

  it("does not look at case, nor at marks of title, headline and citation", () => {
    const stems = universalTags.flatMap((tag) => [...cases[tag]]).filter((brown) => !brown.startsWith("fw-"))
    fc.assert(
      fc.property(fc.constantFrom(...stems), fc.array(fc.constantFrom("-tl", "-hl", "-nc")), (stem, marks) => {
        assert.strictEqual(universalTag((stem + marks.join("")).toUpperCase()), universalTag(stem))
      })
    )
  })

  it("numbers the classes by their place", () => {
    assert.deepStrictEqual(universalTags.map(tagClass), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })
})
