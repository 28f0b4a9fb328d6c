import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readSquad, squadOfJson } from "../../src/data/Squad.ts"
import { run } from "./brown.ts"

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname
const question = { id: "1", question: "what?", answers: [{ text: "b", answer_start: 2 }] }
const text = (...qas: ReadonlyArray<object>) =>
  JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
const messageOf = (json: string) => Result.getOrThrow(Result.flip(squadOfJson("dev.json", json))).message

describe("readSquad", () => {
  it("reads SQuAD 1.1: every question with its context, every answer where it stands, beyond the first plane too", () =>
    run(
      Effect.gen(function* () {
        const { questions, unanswerable } = yield* readSquad(fixture("squad-1.1.json"))
        assert.isFalse(unanswerable)
        assert.deepStrictEqual(
          questions.map(({ id, title, answers }) => [id, title, answers.length]),
          [
            ["light-1", "Lighthouse", 2],
            ["light-2", "Lighthouse", 1],
            ["light-3", "Lighthouse", 1],
            ["orchard-1", "Orchard", 1],
            ["orchard-2", "Orchard", 1]
          ]
        )
        for (const { context, answers } of questions.slice(0, 4))
          for (const { text, start } of answers) assert.isTrue(context.startsWith(text, start), text)
      })
    ))

  it("reads SQuAD 2.0: a question that is impossible has no answer", () =>
    run(
      Effect.gen(function* () {
        const { questions, unanswerable } = yield* readSquad(fixture("squad-2.0.json"))
        assert.isTrue(unanswerable)
        assert.deepStrictEqual(
          questions.map(({ answers }) => answers.map(({ text }) => text)),
          [["Friday"], []]
        )
      })
    ))

  it("names the file that cannot be read", () =>
    run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(readSquad("missing.json"))
        assert.strictEqual(error._tag, "SquadError")
        assert.match(error.message, /^missing\.json: cannot be read; give a file of SQuAD/)
      })
    ))
})

describe("squadOfJson", () => {
  it("has the digest of the bytes", () => {
    const digest = (json: string) => Result.getOrThrow(squadOfJson("a", json)).digest
    assert.strictEqual(digest(text(question)), digest(text(question)))
    assert.notStrictEqual(digest(text(question)), digest(`${text(question)} `))
  })

  it("names every field that is wrong", () => {
    assert.match(messageOf("{"), /^dev\.json: /)
    assert.match(messageOf("{}"), /dev\.json: data: Missing key/)
    const wrong = messageOf(text({ ...question, id: 3 }, { ...question, answers: [{ text: "b", answer_start: -1 }] }))
    assert.match(wrong, /data\.0\.paragraphs\.0\.qas\.0\.id: Expected string/)
    assert.match(wrong, /data\.0\.paragraphs\.0\.qas\.1\.answers\.0\.answer_start: /)
    assert.match(messageOf(text()), /data: holds no question/)
    assert.match(
      messageOf(text(question, { ...question, answers: [] })),
      /qas\.1\.answers: has no answer, and is_impossible is not true/
    )
    assert.isBelow(messageOf(text(...Array.from({ length: 50 }, () => ({})))).split("\n").length, 11)
  })
})
