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

  it("is every other layer of the teacher, number by number, for as many layers as the ratio asks", () => {
    const deep = BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 6, heads: 2, hidden: 4, ffn: 6 })
    const model = {
      config: { ...deep, ffn: deep.ffn.map((_, i) => i + 1) },
      parameters: Parameters.initialise(
        Parameters.bert({ ...deep, ffn: deep.ffn.map((_, i) => i + 1) }),
        BertConfig.axes({ ...deep, ffn: deep.ffn.map((_, i) => i + 1) }),
        Seed.make(3)
      )
    }
    const taken: ReadonlyArray<readonly [number, ReadonlyArray<number>]> = [
      [1, [0, 1, 2, 3, 4, 5]],
      [0.5, [0, 2, 4]],
      [1 / 3, [0, 3]],
      [0.01, [0]]
    ]
    for (const [finalRatio, layers] of taken) {
      const student = StudentInit.everyOther.make({ ...input(0), teacher: model, finalRatio })
      assert.deepEqual(
        student.config.ffn,
        layers.map((layer) => layer + 1)
      )
      const names = Parameters.bert(student.config).map(({ name }) => name)
      assert.deepEqual(Object.keys(student.parameters).toSorted(), names)
      for (const name of names) {
        const [, place] = /layer\.(\d+)\./.exec(name) ?? []
        const origin = place === undefined ? name : name.replace(`layer.${place}.`, `layer.${layers[Number(place)]}.`)
        assert.strictEqual(student.parameters[name], model.parameters[origin], name)
      }
    }
  })
})
