import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { StudentInit } from "homodistil/distill"
import { Variation } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { RemainingRatio } from "homodistil/pruning"

const scorers = [Scorer.magnitude(), Scorer.platon(), Scorer.fisher()].map(Scorer.layer)
const students = [StudentInit.fromTeacher, StudentInit.random].map(StudentInit.layer)
const ratios = [0.5, 0.25].map((final) => RemainingRatio.layer(RemainingRatio.cubic({ final })))

describe("Variation", () => {
  it("has every combination of its layers once, the last component's turning fastest", () => {
    fc.assert(
      fc.property(fc.subarray(scorers), fc.subarray(students), fc.subarray(ratios), (scorer, student, ratio) => {
        const vary = { ratio, scorer, student }
        // written in the order of a plan, whatever the order here
        assert.deepStrictEqual(Variation.keysOf(vary), ["student", "scorer", "ratio"])
        assert.deepStrictEqual(
          Variation.combinations(vary),
          student.flatMap((a) => scorer.flatMap((b) => ratio.map((c) => [a, b, c])))
        )
      })
    )
  })

  it("is one row where nothing is varied", () => assert.deepStrictEqual(Variation.combinations({}), [[]]))

  it("knows what can be varied", () => {
    for (const key of ["loss", "training", "mode"]) assert.isTrue(Variation.isComponent(key))
    for (const key of ["scorre", "", "seeds"]) assert.isFalse(Variation.isComponent(key))
  })
})
