import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { type CellResult, RunStore } from "homodistil/experiment"

const name = fc.stringMatching(/^[a-z][a-zA-Z.]{0,8}$/)
const dictionary = <A>(values: fc.Arbitrary<A>) => fc.dictionary(name, values, { noNullPrototype: true, maxKeys: 4 })
// JSON has no negative zero
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x))
const text = fc.string({ unit: "grapheme" })

/** Finished cells, with every kind of text, number and list that one may hold. */
export const cells: fc.Arbitrary<CellResult> = fc
  .record({
    key: fc.stringMatching(/^[0-9a-f]{12}$/),
    spec: dictionary(fc.oneof(text, fc.boolean(), number, fc.constant(null), fc.array(text, { maxLength: 2 }))),
    measures: dictionary(number),
    curve: fc.array(fc.record({ step: fc.nat(), discrepancy: number, parameters: fc.nat() }), { maxLength: 3 }),
    widths: dictionary(fc.nat()),
    provenance: fc.record({ seconds: number, trainSeconds: number, node: text, platform: text, version: text }),
    diverged: fc.option(text, { nil: undefined })
  })
  .map(({ diverged, ...cell }) => (diverged === undefined ? cell : { ...cell, diverged }))

/** Runs an effect on a store that is empty at first. */
export type OnStore = <A, E>(effect: Effect.Effect<A, E, RunStore>) => Promise<A>

/** What every store of cells promises. */
export const runStoreSuite = (kind: string, onStore: OnStore): void => {
  describe(`RunStore: ${kind}`, () => {
    it("gives back what was put, the last of each key, and nothing else", () =>
      fc.assert(
        fc.asyncProperty(fc.array(cells, { minLength: 1, maxLength: 6 }), fc.nat(), (list, pick) =>
          onStore(
            Effect.gen(function* () {
              const store = yield* RunStore
              // some keys come twice, with other contents
              const repeated = list.map((cell, i) =>
                i % 3 === 2 ? { ...cell, key: list[pick % i]?.key ?? cell.key } : cell
              )
              const model = new Map<string, CellResult>()
              for (const cell of repeated) {
                assert.deepStrictEqual(yield* store.get(cell.key), model.get(cell.key))
                yield* store.put(cell)
                model.set(cell.key, cell)
              }
              for (const [key, cell] of model) assert.deepStrictEqual(yield* store.get(key), cell)
              assert.isUndefined(yield* store.get("absent"))
            })
          )
        ),
        { numRuns: 30 }
      ))

    it("takes many writers at once", () =>
      fc.assert(
        fc.asyncProperty(cells, (cell) =>
          onStore(
            Effect.gen(function* () {
              const store = yield* RunStore
              const versions = Array.from({ length: 8 }, (_, i) => ({ ...cell, measures: { i: i % 2 } }))
              yield* Effect.forEach(versions, store.put, { concurrency: "unbounded" })
              const found = yield* store.get(cell.key)
              assert.deepInclude(versions, found)
            })
          )
        ),
        { numRuns: 10 }
      ))
  })
}
