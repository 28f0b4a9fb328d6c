import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  type ExampleRows,
  genre,
  majorityShare,
  partOfSpeech,
  spanPhrase,
  taskData,
  wordOrder
} from "../../src/data/index.ts"
import { ConfigError } from "../../src/spec/index.ts"
import { toyDataset } from "./brown.ts"

const dataset = toyDataset(Array.from({ length: 20 }, (_, i) => 90 + i))
const tasks = [partOfSpeech(), genre(), wordOrder(), wordOrder({ window: 2 })]
// the toy corpus has nouns only: its sentences of ten are one phrase each
const everyKind = [...tasks, spanPhrase()]
const length = 20

describe("every task", () => {
  it("gives arrays of the promised sizes, labels within the classes, attention 0 exactly on padding", () => {
    for (const task of everyKind) {
      const { train, test } = taskData<ExampleRows>(task, dataset, { train: 11, test: 6, length })
      assert.deepStrictEqual([train.count, test.count], [11, 6])
      for (const { count, ids, attention } of [train, test]) {
        assert.strictEqual(ids.length, count * length)
        assert.deepStrictEqual(
          [...attention],
          [...ids].map((id) => (id === 0 ? 0 : 1))
        )
        for (let row = 0; row < count; row++) assert.strictEqual(ids[row * length], 2)
        assert.strictEqual(ids.filter((id) => id === 3).length, count)
      }
    }
    for (const task of tasks) {
      const { train, test } = taskData(task, dataset, { train: 11, test: 6, length })
      for (const { count, labels } of [train, test]) {
        assert.strictEqual(labels.length, task.kind === "token" ? count * length : count)
        assert.isTrue(labels.every((label) => label >= -1 && label < task.classes.length))
        assert.isTrue(labels.some((label) => label >= 0))
      }
    }
  })

  it("is a function of dataset, counts and seed", () => {
    fc.assert(
      fc.property(fc.nat(100), fc.constantFrom(...everyKind), (seed, task) => {
        const of = (k: number) => taskData<ExampleRows>(task, dataset, { train: 8, test: 8, length, seed: k })
        assert.deepStrictEqual(of(seed), of(seed))
        assert.notDeepEqual(of(seed).train.ids, of(seed + 1).train.ids)
      }),
      { numRuns: 20 }
    )
  })

  it("refuses more examples than there are, and none", () => {
    for (const task of everyKind) {
      for (const train of [0, 100_000]) {
        assert.throws(() => taskData<ExampleRows>(task, dataset, { train, test: 1, length }), ConfigError)
      }
    }
  })
})

describe("majorityShare", () => {
  it("is the share of the largest class, without what is left out", () => {
    const rows = { count: 5, length: 1, ids: new Int32Array(5), attention: new Float32Array(5) }
    assert.strictEqual(majorityShare({ ...rows, labels: Int32Array.of(1, 1, 0, -1, 2) }), 0.5)
    assert.strictEqual(majorityShare({ ...rows, labels: Int32Array.of(-1, -1, -1, -1, -1) }), 0)
  })
})
