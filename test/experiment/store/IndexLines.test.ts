import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { JsonObject } from "homodistil/spec"
import * as IndexLines from "../../../src/experiment/store/IndexLines.ts"
import * as CheckedLine from "../../../src/experiment/store/CheckedLine.ts"
import { cells } from "../runStoreSuite.ts"

const indexed: fc.Arbitrary<IndexLines.Indexed> = fc
  .record({ cell: cells, bytes: fc.nat(), size: fc.nat(), time: fc.nat() })
  .map(({ cell: { key, spec, measures, provenance, diverged }, bytes, size, time }) => ({
    key,
    // what is longer than a name
    spec: {
      ...spec,
      plan: { options: spec, long: "a plan like many others, with a long description" },
      seed: size % 9
    },
    measures,
    provenance,
    diverged: diverged !== undefined,
    bytes,
    result: { bytes: size, time }
  }))
const lists = fc.uniqueArray(indexed, { maxLength: 5, selector: ({ key }) => key })

const cellsOf = (text: string) => [...IndexLines.decode(text).cells.values()].map((each) => each.indexed)

const none: ReadonlySet<string> = new Set()

describe("IndexLines", () => {
  it("say what was written, by one process or by several", () =>
    fc.assert(
      fc.property(lists, fc.boolean(), (list, one) => {
        const first = IndexLines.encode(list.slice(0, 2), none)
        const then = IndexLines.encode(list.slice(2), one ? first.parts : none)
        const text = first.text + then.text
        assert.deepStrictEqual(cellsOf(text), list)
        const { cells: known, parts, partsLength } = IndexLines.decode(text)
        assert.deepStrictEqual([...parts.keys()].toSorted(), [...new Set([...first.parts, ...then.parts])].toSorted())
        // with parts that are written once, every byte is of use
        const length = [...known.values()].reduce((sum, each) => sum + each.length, partsLength)
        if (one) assert.strictEqual(length + text.split("\n").length - 1, text.length)
        // the last word counts
        assert.deepStrictEqual(cellsOf(text + IndexLines.encode(list, none).text), list)
      })
    ))

  it("say nothing rather than something else, whatever happened to some of them", () =>
    fc.assert(
      fc.property(lists, fc.array(fc.record({ line: fc.nat(), at: fc.nat() }), { maxLength: 3 }), (list, damages) => {
        const lines = IndexLines.encode(list, none).text.split("\n")
        for (const { line, at } of damages) {
          const i = line % lines.length
          lines[i] = lines[i]?.slice(0, at % (lines[i]?.length || 1)) ?? ""
        }
        const found = cellsOf(lines.join("\n"))
        const keys = new Set(found.map(({ key }) => key))
        assert.deepStrictEqual(
          found,
          list.filter(({ key }) => keys.has(key))
        )
        if (damages.length === 0) assert.strictEqual(found.length, list.length)
      })
    ))

  it("of another format say nothing", () => {
    const old: JsonObject = { format: 1, cell: {} }
    assert.deepStrictEqual(IndexLines.decode(`${CheckedLine.of(old)}\n`), {
      cells: new Map(),
      parts: new Map(),
      partsLength: 0
    })
  })

  it("of a thousand cells that differ in their seeds hold what is the same once", () => {
    const plan = Array.from({ length: 100 }, (_, i) => `component ${i}`)
    const many = fc
      .sample(indexed, { numRuns: 1, seed: 3 })
      .flatMap((one) =>
        Array.from({ length: 1000 }, (_, seed) => ({ ...one, key: `${seed}`, spec: { ...one.spec, plan, seed } }))
      )
    const { text } = IndexLines.encode(many, none)
    assert.strictEqual(text.split("component 99").length, 2)
    assert.strictEqual(IndexLines.decode(text).cells.size, 1000)
  })
})
