import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as SquadNote from "../../../src/evaluate/measure/SquadNote.ts"
import { Digest } from "../../../src/spec/index.ts"

const [train, test] = [Digest.of("train"), Digest.of("test")]
const available = { train: 87_599, validation: 0, test: 10_570 }
const full = { train: 1600, test: 1000, length: 64 }
const small = { train: 64, test: 32, length: 64 }

describe("SquadNote", () => {
  it("names the one file that was split, or both, and the version that has questions without an answer", () => {
    const one = SquadNote.of({ files: { train }, unanswerable: false, available }, { full, small })
    assert.isTrue(one.startsWith(`SQuAD 1.1: the articles of file ${Digest.short(train)} split 80/10/10; `))
    const both = SquadNote.of({ files: { train, test }, unanswerable: true, available }, { full, small })
    assert.match(both, /^SQuAD 2\.0, in which some questions have no answer: files /)
    for (const digest of [train, test]) assert.include(both, Digest.short(digest))
    assert.include(
      both,
      "learned from 1600 (64 in a smoke test) of 87599 questions, judged on 1000 (32 in a smoke test)"
    )
  })

  it("has every number of the samples, those of a smoke test where they are others", () => {
    const count = fc.integer({ min: 1, max: 99 })
    const sample = fc.record({ train: count, test: count, length: count })
    fc.assert(
      fc.property(sample, sample, (full, small) => {
        const note = SquadNote.of({ files: { train }, unanswerable: false, available }, { full, small })
        for (const part of ["train", "test"] as const) {
          assert.include(note, `${full[part]}${small[part] === full[part] ? "" : ` (${small[part]} in`}`)
          assert.include(note, ` of ${available[part]} questions`)
        }
        assert.strictEqual(
          note.match(/smoke/g)?.length ?? 0,
          (["train", "test"] as const).filter((part) => full[part] !== small[part]).length
        )
        assert.include(note, `rows of ${full.length} pieces`)
      })
    )
  })
})
