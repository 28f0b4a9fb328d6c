import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { encodeTask, encodeTexts, type LabelledText, longestFirst } from "../../../src/data/index.ts"
import { real, run, toyTokenizer } from "../brown.ts"
import { toyTask } from "./tasks.ts"

const Golden = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      first: Schema.String,
      second: Schema.optionalKey(Schema.String),
      longest: Schema.Int,
      ids: Schema.Array(Schema.Int),
      types: Schema.Array(Schema.Int)
    })
  )
)
const golden = Schema.decodeSync(Golden)(readFileSync(new URL("../../golden/pairs.json", import.meta.url), "utf8"))

/** What Python's slow tokenizers did: one piece after another from the longer part. What is cut from two alike parts differs. */
const onePieceAtATime = (first: number, second: number, room: number): readonly [number, number] => {
  let [a, b] = [first, second]
  while (a + b > room) {
    if (a > b) a--
    else b--
  }
  return [a, b]
}

describe("encodeTexts", () => {
  it("is what Hugging Face's tokenizers give, pairs and cuts included", () =>
    run(
      Effect.gen(function* () {
        const { tokenizer } = yield* real
        for (const { longest, ids, types, ...text } of golden) {
          const found = encodeTexts(tokenizer, "dev", [{ ...text, label: 0 }], longest)
          assert.deepStrictEqual([...found.ids], ids, `${text.first} | ${text.second} | ${longest}`)
          assert.deepStrictEqual(
            ids.map((_, at) => Number(at >= (found.seconds[0] ?? 0))),
            types
          )
        }
        assert.isTrue(golden.some(({ types }) => types.includes(1)))
      })
    ))

  it("lays texts end to end, none longer than rows may be, and counts those it cut", () => {
    const words = fc.array(
      fc.integer({ min: 5, max: 99 }).map((n) => `w${n}`),
      { maxLength: 20 }
    )
    const texts = fc.array(fc.tuple(words, fc.option(words)), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(texts, fc.integer({ min: 8, max: 30 }), (pairs, longest) => {
        const given = pairs.map(([first, second], label): LabelledText => ({
          first: first.join(" "),
          label,
          ...(second === null ? {} : { second: second.join(" ") })
        }))
        const { offsets, ids, seconds, labels, cut, count } = encodeTexts(toyTokenizer, "dev", given, longest)
        assert.strictEqual(count, pairs.length)
        assert.deepStrictEqual([...labels], [...pairs.keys()])
        let cuts = 0
        pairs.forEach(([first, second], n) => {
          const own = [...ids.subarray(offsets[n], offsets[n + 1])]
          const numbers = (of: ReadonlyArray<string>) => of.map((word) => Number(word.slice(1)))
          const whole = second === null ? [2, ...numbers(first), 3] : [2, ...numbers(first), 3, ...numbers(second), 3]
          assert.isAtMost(own.length, longest)
          if (whole.length > longest) cuts++
          else assert.deepStrictEqual(own, whole)
          assert.strictEqual(own[(seconds[n] ?? 0) - 1], 3)
          assert.strictEqual(own.at(-1), 3)
          assert.strictEqual(seconds[n] === own.length, second === null)
        })
        assert.strictEqual(cut, cuts)
      })
    )
  })
})

describe("longestFirst", () => {
  it("fills the room, takes from the longer part, and is the old rule up to one piece", () => {
    const size = fc.nat(40)
    fc.assert(
      fc.property(size, size, fc.nat(60), (first, second, room) => {
        const [a, b] = longestFirst(first, second, room)
        assert.strictEqual(a + b, Math.min(room, first + second))
        assert.isTrue(a <= first && b <= second && a >= 0 && b >= 0)
        if (a < first && b < second) assert.isAtMost(Math.abs(a - b), 1)
        if (first < second) assert.isAtMost(a, b)
        const [old] = onePieceAtATime(first, second, room)
        assert.isAtMost(Math.abs(a - old), 1)
      })
    )
  })
})

describe("encodeTask", () => {
  it("is named by the task's files, the vocabulary and the length of rows", () => {
    const digest = (longest: number, seed: number) =>
      JSON.stringify(encodeTask(toyTask({ seed }), toyTokenizer, longest).spec)
    assert.strictEqual(digest(16, 0), digest(16, 0))
    assert.notStrictEqual(digest(16, 0), digest(12, 0))
    assert.notStrictEqual(digest(16, 0), digest(16, 1))
  })
})
