import { assert, describe, it } from "@effect/vitest"
import { datasetOf } from "../../../src/data/Dataset.ts"
import { genre } from "../../../src/data/task/genre.ts"
import { majorityShare, taskData } from "../../../src/data/Task.ts"
import { toyDocument, toyTokenizer } from "../brown.ts"

describe("genre", () => {
  it("labels each row with the genre of its document, from files of the split", () => {
    // each document of genre g is made of the piece 10 + g alone
    const documents = Array.from("abf", (letter, g) =>
      Array.from({ length: 5 }, (_, f) => ({
        ...toyDocument(
          `c${letter}1${f}`,
          Array.from({ length: 30 }, () => 10 + g)
        ),
        genre: g
      }))
    ).flat()
    const dataset = datasetOf(documents, { corpus: "toy", tokenizer: toyTokenizer })
    const { train, test } = taskData(genre(), dataset, { train: 27, test: 9, length: 12 })
    for (const { count, ids, labels } of [train, test]) {
      for (let row = 0; row < count; row++) assert.strictEqual(ids[row * 12 + 5], 10 + (labels[row] ?? -1))
    }
    assert.strictEqual(majorityShare(train), 1 / 3)
  })
})
