import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { datasetOf } from "../../../src/data/Dataset.ts"
import { spanText } from "../../../src/data/Span.ts"
import { readSquad } from "../../../src/data/Squad.ts"
import { taskData } from "../../../src/data/Task.ts"
import { spanSquad, squadAlignment } from "../../../src/data/task/spanSquad.ts"
import { loadTokenizer, tokenizerDirectory } from "../../../src/data/Tokenizer.ts"
import { ConfigError, Digest, Spec } from "../../../src/spec/index.ts"
import { run, toyDataset } from "../brown.ts"

const fixture = (name: string) => readSquad(new URL(`../fixtures/${name}`, import.meta.url).pathname)
const { tokenizer, first, second } = await run(
  Effect.all({
    tokenizer: Effect.flatMap(tokenizerDirectory, loadTokenizer),
    first: fixture("squad-1.1.json"),
    second: fixture("squad-2.0.json")
  })
)
const dataset = datasetOf([], { corpus: "none", tokenizer })
const digest = (task: { readonly spec: Spec.Spec }) => Digest.of(Spec.toJson(task.spec))

describe("squadAlignment", () => {
  it("counts answers that are not where the file says, and those that end inside a piece", () => {
    // "120" is 12 and ##0: the answer 12 is a piece of its own; the barn is not in the text
    const counts = { questions: 5, unanswerable: 0, answers: 6, misplaced: 1, misaligned: 0 }
    assert.deepStrictEqual(squadAlignment(first, tokenizer), counts)
    assert.deepStrictEqual(squadAlignment(second, tokenizer), {
      ...counts,
      questions: 2,
      unanswerable: 1,
      answers: 1,
      misplaced: 0
    })
    const [keeper] = first.questions
    assert.isDefined(keeper)
    const inside = { ...first, questions: [{ ...keeper, answers: [{ text: "eeper", start: 5 }] }] }
    assert.strictEqual(squadAlignment(inside, tokenizer).misaligned, 1)
  })
})

describe("spanSquad", () => {
  const task = spanSquad({ train: first, test: second }, tokenizer)

  it("shows a question's whole context in its windows, and in each that holds it the answer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 31, max: 70 }), fc.integer({ min: 1, max: 40 }), (length, stride) => {
        const windowed = spanSquad({ train: first, test: first }, tokenizer, { stride })
        const { train } = taskData(windowed, dataset, { train: 4, test: 5, length })
        const shown = train.answers.map(() => new Set<number>())
        const held = train.answers.map(() => false)
        for (let row = 0; row < train.count; row++) {
          const question = train.questions[row] ?? 0
          const [start, end] = [train.starts[row] ?? 0, train.ends[row] ?? 0]
          const at = row * length
          const ids = train.ids.subarray(at, at + length)
          assert.strictEqual(ids[0], 2)
          assert.strictEqual(ids.filter((id) => id === 3).length, 2)
          for (let column = 1; column < length; column++) {
            if (train.allowed[at + column] !== 1) continue
            assert.isAbove(column, ids.indexOf(3))
            assert.strictEqual(train.types?.[at + column], 1)
            shown[question]?.add(train.from[at + column] ?? -1)
          }
          if (start === 0) assert.strictEqual(end, 0)
          else {
            assert.strictEqual(spanText(train, row, { start, end }), train.answers[question]?.[0])
            held[question] = true
          }
        }
        // every first letter of a piece of the context was in some window
        train.answers.forEach((_, question) => {
          const context = train.contexts[train.questions.indexOf(question)] ?? ""
          const letters = [...context.matchAll(/(?<=\s|^)[^\s]/gu)].map(({ index }) => index)
          for (const letter of letters) assert.isTrue(shown[question]?.has(letter), `${question}: ${letter}`)
        })
        if (length > 60 && stride < 10) assert.isTrue(held.every((each) => each))
      }),
      { numRuns: 40 }
    )
  })

  it("leaves out of training, and only there, a question whose answer is not in its context", () => {
    assert.deepStrictEqual(task.available, { train: 4, validation: 0, test: 2 })
    assert.deepStrictEqual(spanSquad({ train: second, test: first }, tokenizer).available.test, 5)
    assert.isTrue(task.unanswerable)
    assert.isFalse(spanSquad({ train: first }, tokenizer).unanswerable)
  })

  it("points a question without an answer at [CLS]", () => {
    const { test } = taskData(task, dataset, { train: 1, test: 2, length: 48 })
    test.answers.forEach((answers, question) => {
      if (answers.length > 0) return
      test.questions.forEach((each, row) => {
        if (each === question)
          assert.deepStrictEqual([test.starts[row], test.ends[row], test.allowed[row * 48]], [0, 0, 1])
      })
    })
    assert.strictEqual(test.answers.filter((answers) => answers.length === 0).length, 1)
  })

  it("splits one file by article", () => {
    const { available } = spanSquad({ train: first }, tokenizer)
    const sizes = Object.values(available)
    assert.strictEqual(sizes.filter((size) => size > 0).length, 2)
    assert.isAbove(available.test, 0)
  })

  it("has in its spec the files, the windows and the vocabulary", () => {
    const others = [
      spanSquad({ train: first }, tokenizer),
      spanSquad({ train: second, test: first }, tokenizer),
      spanSquad({ train: first, test: second }, tokenizer, { stride: 8 }),
      spanSquad({ train: first, test: second }, tokenizer, { longestQuestion: 8 })
    ]
    assert.lengthOf(new Set([task, ...others].map(digest)), 5)
    assert.strictEqual(digest(spanSquad({ train: first, test: second }, tokenizer, { stride: 32 })), digest(task))
  })

  it("refuses rows too short, another vocabulary, more questions than there are, and steps that are none", () => {
    const take = (options: { train: number; length: number }) => () => taskData(task, dataset, { test: 1, ...options })
    assert.throws(take({ train: 1, length: 30 }), /length of spanSquad = 30: must be at least 31/)
    assert.throws(take({ train: 5, length: 64 }), ConfigError)
    assert.throws(() => taskData(task, toyDataset([90, 91, 92]), { train: 1, test: 1 }), /vocabulary of spanSquad/)
    assert.throws(() => spanSquad({ train: first }, tokenizer, { stride: 0 }), /stride = 0/)
  })
})
