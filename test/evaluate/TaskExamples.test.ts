import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { partOfSpeech, taskData } from "../../src/data/index.ts"
import { TaskExamples } from "../../src/evaluate/index.ts"
import { toyDataset } from "../data/brown.ts"

const dataset = toyDataset(Array.from({ length: 20 }, (_, i) => 90 + i))
const sample = { train: 5, test: 3, length: 20, seed: 4 }

describe("TaskExamples", () => {
  it("are the task's own for the sample", () => {
    const taken = Effect.runSync(TaskExamples.take(partOfSpeech(), dataset, sample))
    assert.deepStrictEqual(taken, taskData(partOfSpeech(), dataset, sample))
  })

  it("fail where the dataset has fewer than asked for", () => {
    const error = Effect.runSync(Effect.flip(TaskExamples.take(partOfSpeech(), dataset, { ...sample, train: 1e6 })))
    assert.strictEqual(error._tag, "ConfigError")
  })
})
