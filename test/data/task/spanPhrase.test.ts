import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { parseBrown } from "../../../src/data/Corpus.ts"
import { datasetOf } from "../../../src/data/Dataset.ts"
import { tokenize } from "../../../src/data/Document.ts"
import { spanText } from "../../../src/data/Span.ts"
import { taskData } from "../../../src/data/Task.ts"
import { nounPhrases, spanPhrase } from "../../../src/data/task/spanPhrase.ts"
import { universalTags } from "../../../src/data/UniversalTag.ts"
import { Seed } from "../../../src/spec/index.ts"
import { toyTokenizer } from "../brown.ts"

// every word of the toy corpus says its tag: w10 … are determiners, w20 … adjectives, w30 … nouns, w40 … numbers, w50 … verbs
const brownTags = { 1: "at", 2: "jj", 3: "nn", 4: "cd", 5: "vb" }
const kinds = [1, 2, 3, 4, 5] as const
const letters = { 1: "D", 2: "A", 3: "N", 4: "C", 5: "-" }

const sentence = (file: number, line: number) => {
  const seed = Seed.child(Seed.make(file), "line", line)
  const draws = [...Seed.integers(seed, 4 + (line % 12), 50)]
  return draws.map((draw) => {
    const kind = kinds[draw % 5] ?? 5
    const word = 10 * kind + Math.floor(draw / 5)
    // some words have a second piece
    return { kind, text: draw % 7 === 0 ? `w${word}w95` : `w${word}` }
  })
}
const text = (file: number) =>
  Array.from({ length: 60 }, (_, line) =>
    sentence(file, line)
      .map(({ kind, text }) => `${text}/${brownTags[kind]}`)
      .join(" ")
  ).join("\n")

const dataset = datasetOf(
  Array.from({ length: 10 }, (_, f) => tokenize(parseBrown(`ca${10 + f}`, text(f)), toyTokenizer)),
  { corpus: "toy", tokenizer: toyTokenizer }
)
const length = 24

/** The longest phrase by a regular expression over one letter a word; none where there are several, or of one word. */
const longestByPattern = (tags: string): readonly [number, number] | undefined => {
  const found = [...tags.matchAll(/D*[ACN]*N|D+N/g)].map(
    (match) => [match.index, match.index + match[0].length] as const
  )
  const most = Math.max(0, ...found.map(([from, to]) => to - from))
  const all = found.filter(([from, to]) => to - from === most)
  return most < 2 || all.length > 1 ? undefined : all[0]
}

describe("nounPhrases", () => {
  it("are what a regular expression over the tags finds", () => {
    const letter = fc.constantFrom("DET", "ADJ", "NOUN", "NUM", "VERB", ".")
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 14 }), (tags) => {
        const line = tags.map((tag) => ({ DET: "D", ADJ: "A", NOUN: "N", NUM: "C", VERB: "-", ".": "-" })[tag]).join("")
        const expected = [...line.matchAll(/D*[ACN]*N/g)].map((match) => ({
          first: match.index,
          last: match.index + match[0].length - 1
        }))
        assert.deepStrictEqual(nounPhrases(tags.map((tag) => universalTags.indexOf(tag))), expected)
      })
    )
  })
})

describe("spanPhrase", () => {
  it("asks for the one longest phrase of a sentence of the corpus, inside it and in whole words", () => {
    fc.assert(
      fc.property(fc.nat(50), (seed) => {
        const { train, test } = taskData(spanPhrase(), dataset, { train: 30, test: 8, length, seed })
        for (const examples of [train, test]) {
          for (let row = 0; row < examples.count; row++) {
            const words = (examples.contexts[row] ?? "").split(" ")
            const tags = words.map((word) => letters[kinds[Number(word[1]) - 1] ?? 5]).join("")
            const phrase = longestByPattern(tags)
            assert.isDefined(phrase)
            assert.deepStrictEqual(examples.answers[row], [words.slice(...phrase).join(" ")])
            const [start, end] = [examples.starts[row] ?? 0, examples.ends[row] ?? 0]
            assert.strictEqual(spanText(examples, row, { start, end }), examples.answers[row]?.[0])
            assert.isTrue(1 <= start && start <= end && end < length - 1)
            // an answer may lie on every piece of the sentence, and nowhere else
            const ids = examples.ids.subarray(row * length, (row + 1) * length)
            const allowed = examples.allowed.subarray(row * length, (row + 1) * length)
            assert.deepStrictEqual(
              [...allowed],
              [...ids].map((id) => Number(id >= 5))
            )
          }
        }
      }),
      { numRuns: 30 }
    )
  })

  it("spells a sentence by its pieces", () => {
    const { train } = taskData(spanPhrase(), dataset, { train: 30, test: 8, length })
    for (let row = 0; row < train.count; row++) {
      const pieces = Array.from({ length }, (_, column) => column).filter((c) => train.allowed[row * length + c] === 1)
      for (const column of pieces)
        assert.strictEqual(
          spanText(train, row, { start: column, end: column }),
          dataset.vocabulary[train.ids[row * length + column] ?? 0]
        )
    }
  })

  it("takes train and test from different files", () => {
    const textsOf = (name: "train" | "test") =>
      new Set(
        [...dataset.documents[name]].flatMap(({ file }) =>
          Array.from({ length: 60 }, (_, line) =>
            sentence(Number(file.slice(2)) - 10, line)
              .map(({ text }) => text)
              .join(" ")
          )
        )
      )
    const data = taskData(spanPhrase(), dataset, { train: 30, test: 8, length })
    for (const name of ["train", "test"] as const)
      for (const context of data[name].contexts) assert.isTrue(textsOf(name).has(context), context)
  })
})
