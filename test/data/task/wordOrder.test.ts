import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { parseBrown } from "../../../src/data/Corpus.ts"
import { datasetOf } from "../../../src/data/Dataset.ts"
import { tokenize } from "../../../src/data/Document.ts"
import { wordOrder } from "../../../src/data/task/wordOrder.ts"
import { majorityShare, taskData } from "../../../src/data/Task.ts"
import { Seed } from "../../../src/spec/index.ts"
import { toyTokenizer } from "../brown.ts"

// sentences of different words, some of two pieces, with a comma (w99) in the middle and a full stop (w98) at the end
const text = (file: number) =>
  Array.from({ length: 30 }, (_, line) => {
    const order = [...Seed.permutation(Seed.child(Seed.make(file), "line", line), 90)].map((id) => id + 5)
    const words = order
      .slice(0, 5 + (line % 9))
      .map((id, word) => (word % 3 === 1 ? `w${id}w${96 - (id % 2)}` : `w${id}`))
    return [
      ...words.slice(0, 4).map((word) => `${word}/nn`),
      "w99/,",
      ...words.slice(4).map((word) => `${word}/vb`),
      "w98/."
    ].join(" ")
  }).join("\n")

const dataset = datasetOf(
  Array.from({ length: 10 }, (_, f) => tokenize(parseBrown(`ca${10 + f}`, text(f)), toyTokenizer)),
  { corpus: "toy", tokenizer: toyTokenizer }
)
const length = 24

/** A row's pieces as words: 95 and 96 are the second pieces. */
const wordsOf = (ids: Int32Array): ReadonlyArray<string> =>
  [...ids]
    .filter((id) => id >= 5)
    .reduce<Array<string>>(
      (words, id) => (id === 95 || id === 96 ? [...words.slice(0, -1), `${words.at(-1)}+`] : [...words, String(id)]),
      []
    )

const windows = fc.constantFrom(undefined, 2, 3, 5)

describe("wordOrder", () => {
  it("pairs each sentence with its own words moved: same pieces, edges and punctuation, no movable word in its place", () => {
    fc.assert(
      fc.property(windows, fc.nat(50), (window, seed) => {
        const task = wordOrder(window === undefined ? {} : { window })
        const { train } = taskData(task, dataset, { train: 40, test: 2, length, seed })
        assert.strictEqual(majorityShare(train), 0.5)
        for (let row = 0; row < train.count; row += 2) {
          assert.deepStrictEqual(train.labels.slice(row, row + 2), Int32Array.of(1, 0))
          const pair = [row, row + 1].map((each) => train.ids.slice(each * length, (each + 1) * length))
          const [written, moved] = pair.map(wordsOf)
          assert.isDefined(written)
          assert.isDefined(moved)
          assert.deepStrictEqual([...written].sort(), [...moved].sort())
          const last = written.length - 1
          const movable = written.map((_, i) => i).filter((i) => i > 0 && i < last && written[i] !== "99")
          written.forEach((word, i) => {
            const alone = movable.at(-1) === i && movable.length % (window ?? Infinity) === 1
            if (movable.includes(i) && !alone) assert.notStrictEqual(moved[i], word)
            else assert.strictEqual(moved[i], word)
          })
          // a word goes no further than its window
          movable.forEach((from, rank) => {
            const to = movable.findIndex((i) => moved[i] === written[from])
            const size = window ?? Infinity
            assert.strictEqual(Math.floor(to / size), Math.floor(rank / size))
          })
        }
      }),
      { numRuns: 40 }
    )
  })

  it("keeps words whole and sentences as they stand in the text", () => {
    const sentences = new Set(
      [...dataset.documents.train].flatMap(({ ids, sentences: bounds }) =>
        Array.from({ length: bounds.length - 1 }, (_, s) => String(ids.subarray(bounds[s], bounds[s + 1])))
      )
    )
    const { train } = taskData(wordOrder(), dataset, { train: 60, test: 2, length })
    for (let row = 0; row < 60; row += 2) {
      assert.isTrue(sentences.has(String(train.ids.slice(row * length, (row + 1) * length).filter((id) => id >= 5))))
    }
  })

  it("refuses a window that moves nothing", () => {
    assert.throws(() => wordOrder({ window: 1 }), /window = 1: must be a whole number of at least 2/)
  })
})
