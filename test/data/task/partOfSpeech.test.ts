import { assert, describe, it } from "@effect/vitest"
import { datasetOf } from "../../../src/data/Dataset.ts"
import { partOfSpeech } from "../../../src/data/task/partOfSpeech.ts"
import { taskData } from "../../../src/data/Task.ts"
import { toyDocument, toyTokenizer } from "../brown.ts"

describe("partOfSpeech", () => {
  it("labels first pieces with the tag of their word, and nothing else", () => {
    // the tag of piece id is id % 12, except that every fifth id is a later piece of a word
    const tagOf = (id: number) => (id % 5 === 0 ? -1 : id % 12)
    const documents = Array.from({ length: 10 }, (_, f) => {
      const document = toyDocument(
        `ca${10 + f}`,
        Array.from({ length: 40 }, (_, i) => 5 + ((f * 9 + i) % 95))
      )
      return { ...document, tags: Int8Array.from(document.ids.subarray(), tagOf) }
    })
    const dataset = datasetOf(documents, { corpus: "toy", tokenizer: toyTokenizer })
    const { train } = taskData(partOfSpeech(), dataset, { train: 20, test: 3, length: 12 })
    train.labels.forEach((label, at) => {
      const id = train.ids[at] ?? 0
      assert.strictEqual(label, id < 5 ? -1 : tagOf(id))
    })
  })
})
