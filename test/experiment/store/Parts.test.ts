import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { Json, JsonObject } from "homodistil/spec"
import * as Parts from "../../../src/experiment/store/Parts.ts"

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  // what looks like a name
  fc.stringMatching(/^#{1,3}[0-9a-f]{0,50}$/)
)
const key = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("a", "b", "__proto__", "length"))
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    text,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true })
  )
}))
const objects: fc.Arbitrary<JsonObject> = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true })
const owned = fc.uniqueArray(key, { maxLength: 3 })

const foldAll = (values: ReadonlyArray<JsonObject>, own: ReadonlyArray<string>) => {
  const told: Array<readonly [name: string, part: Json]> = []
  const folded = values.map((each) => Parts.fold(each, own, (name, part) => void told.push([name, part])))
  return { folded, told }
}

/** The parts by name, each made of those that were told before it. */
const partsOf = (told: ReadonlyArray<readonly [name: string, part: Json]>): Parts.Parts => {
  const parts = new Map<string, Json>()
  for (const [name, part] of told) {
    const found = Parts.whole(part, parts)
    if (found !== undefined && !parts.has(name)) parts.set(name, found)
  }
  return parts
}

describe("Parts", () => {
  it("make the value again that they were taken from, keys in their places", () =>
    fc.assert(
      fc.property(fc.array(objects, { maxLength: 3 }), owned, (values, own) => {
        const { folded, told } = foldAll(values, own)
        const parts = partsOf(told)
        const again = folded.map((each) => Parts.unfold(each, parts))
        assert.deepStrictEqual(again, values)
        assert.strictEqual(JSON.stringify(again), JSON.stringify(values))
      }),
      { numRuns: 500 }
    ))

  it("are short, and have one name for one content", () =>
    fc.assert(
      fc.property(fc.array(objects, { maxLength: 3 }), (values) => {
        const { told } = foldAll(values, [])
        const texts = new Map<string, string>()
        for (const [name, part] of told) {
          const text = JSON.stringify(part)
          assert.strictEqual(texts.get(name) ?? text, text)
          texts.set(name, text)
          if (typeof part !== "object" || part === null) continue
          // a text of 40 characters at most, or the name of one
          for (const field of Object.values(part)) assert.isAtMost(JSON.stringify(field).length, 40)
        }
        assert.strictEqual(new Set(texts.values()).size, texts.size)
      })
    ))

  it("are all needed", () =>
    fc.assert(
      fc.property(objects, fc.nat(), (object, pick) => {
        const { folded, told } = foldAll([object], [])
        const names = [...new Set(told.map(([name]) => name))]
        fc.pre(names.length > 0)
        const lost = names[pick % names.length]
        const parts = partsOf(told.filter(([name]) => name !== lost))
        for (const each of folded) assert.isUndefined(Parts.unfold(each, parts))
      })
    ))

  it("that objects have in common are one object", () => {
    const plan = { name: "homoDistil", options: { steps: 400, learningRate: 0.001 }, version: 1 }
    const cells = [0, 1].map((seed) => ({ plan: structuredClone(plan), seed }))
    const { folded, told } = foldAll(cells, ["seed"])
    const parts = partsOf(told)
    const [a, b] = folded.map((each) => Parts.unfold(each, parts))
    assert.deepStrictEqual([a, b], cells)
    assert.strictEqual(a?.["plan"], b?.["plan"])
    assert.strictEqual(parts.size, 1)
  })
})
