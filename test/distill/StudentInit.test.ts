import { StudentInit } from "homodistil/distill"
import { BertConfig, Model, Parameters } from "homodistil/model"
import { Ranking } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { config, teacher } from "./samples.ts"

const input = (seed: number) => ({ teacher, ranking: Ranking.local(), finalRatio: 0.25, seed: Seed.make(seed) })

describe("the student's start", () => {
  it("is the teacher itself for a homotopy", () => {
    assert.deepEqual(StudentInit.fromTeacher.make(input(0)), teacher)
    assert.isFalse(StudentInit.fromTeacher.final)
  })

  it("is random at the final size for the baseline, with attention scaled for its own heads", () => {
    const student = StudentInit.random.make(input(0))
    assert.strictEqual(student.config.hidden, 4)
    assert.strictEqual(student.config.scale, 1 / Math.sqrt(2))
    assert.deepEqual(student.config.ffn, [6, 6])
    const specs = Parameters.bert(student.config)
    assert.strictEqual(Model.size(student), Parameters.count(specs, BertConfig.axes(student.config)))
    for (const spec of specs)
      assert.deepEqual(student.parameters[spec.name]?.shape, Parameters.shape(spec, BertConfig.axes(student.config)))
    assert.notStrictEqual(student.config.scale, config.scale)
    assert.notDeepEqual(student.parameters, StudentInit.random.make(input(1)).parameters)
    assert.deepEqual(student, StudentInit.random.make(input(0)))
  })
})
