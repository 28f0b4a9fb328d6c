import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { type CellResult, type Claim, put, RunStore } from "homodistil/experiment"

const name = fc.stringMatching(/^[a-z][a-zA-Z.]{0,8}$/)
const dictionary = <A>(values: fc.Arbitrary<A>) => fc.dictionary(name, values, { noNullPrototype: true, maxKeys: 4 })
// JSON has no negative zero
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (x === 0 ? 0 : x))
const text = fc.string({ unit: "grapheme" })

const map = dictionary(number)
const counts = dictionary(fc.nat())

/** Finished cells, with every kind of text, number and list that one may hold. */
export const cells: fc.Arbitrary<CellResult> = fc
  .record({
    key: fc.stringMatching(/^[0-9a-f]{12}$/),
    spec: dictionary(fc.oneof(text, fc.boolean(), number, fc.constant(null), fc.array(text, { maxLength: 2 }))),
    measures: map,
    curve: fc.array(fc.record({ step: fc.nat(), discrepancy: number, parameters: fc.nat() }), { maxLength: 3 }),
    path: fc.array(fc.record({ step: fc.nat(), widths: counts, parameters: fc.nat() }), { maxLength: 3 }),
    trajectory: fc.array(fc.record({ step: fc.nat(), parameters: fc.nat(), measures: map }), { maxLength: 2 }),
    provenance: fc.record({
      seconds: number,
      trainSeconds: number,
      finished: text,
      resumed: fc.nat(),
      node: text,
      platform: text,
      cpu: text,
      cores: fc.nat(),
      version: text,
      packages: dictionary(text),
      git: fc.option(fc.record({ commit: text, dirty: fc.boolean() }))
    }),
    diverged: fc.option(text, { nil: undefined })
  })
  .map(({ diverged, ...cell }) => (diverged === undefined ? cell : { ...cell, diverged }))

/** Some cells with these keys, none of which diverged. */
export const sample = (...keys: ReadonlyArray<string>): ReadonlyArray<CellResult> =>
  fc
    .sample(cells, { numRuns: keys.length, seed: 7 })
    .map(({ diverged: _, ...cell }, i) => ({ ...cell, key: keys[i] ?? cell.key }))

/** Works on a cell that nobody else works on. */
export const working = <A, E>(key: string, use: (claim: Claim) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const claim = yield* (yield* RunStore).claim(key)
    return yield* use(yield* Effect.fromNullishOr(claim))
  }).pipe(Effect.scoped)

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
                yield* put(cell)
                model.set(cell.key, cell)
              }
              for (const [key, cell] of model) assert.deepStrictEqual(yield* store.get(key), cell)
              assert.isUndefined(yield* store.get("absent"))

              const entries = yield* store.list
              assert.deepStrictEqual(
                entries.map(({ key }) => key),
                [...model.keys()].toSorted()
              )
              for (const { key, state, cell } of entries) {
                const { spec, measures, provenance, diverged } = model.get(key) ?? {}
                assert.strictEqual(state, diverged === undefined ? "finished" : "diverged")
                const { spec: s, measures: m, provenance: p } = cell ?? {}
                assert.deepStrictEqual({ s, m, p }, { s: spec, m: measures, p: provenance })
              }
              assert.deepStrictEqual(yield* store.verify, [])
            })
          )
        ),
        { numRuns: 20 }
      ))

    it("lets one at a time work on a cell", () =>
      onStore(
        Effect.gen(function* () {
          const store = yield* RunStore
          let at = 0
          let turns = 0
          const turn: Effect.Effect<void, unknown> = Effect.gen(function* () {
            const claim = yield* store.claim("cell")
            if (claim === undefined) return false
            at += 1
            assert.strictEqual(at, 1)
            yield* Effect.sleep(3)
            assert.isUndefined(yield* Effect.scoped(store.claim("cell")))
            at -= 1
            turns += 1
            return true
          }).pipe(
            Effect.scoped,
            Effect.flatMap((had) => (had ? Effect.void : Effect.andThen(Effect.sleep(5), turn)))
          )
          yield* Effect.all([turn, turn, turn, turn, working("other", () => Effect.void)], { concurrency: "unbounded" })
          assert.strictEqual(turns, 4)
        })
      ))

    it("gives back the last checkpoint, as long as the cell is not finished", () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
          cells,
          (states, cell) =>
            onStore(
              Effect.gen(function* () {
                const store = yield* RunStore
                for (const [i, state] of states.entries()) {
                  yield* working(cell.key, (claim) =>
                    Effect.gen(function* () {
                      const before = states[i - 1]
                      assert.deepStrictEqual(claim.checkpoint && [...claim.checkpoint], before && [...before])
                      yield* claim.record({ step: i, loss: 1 / (i + 1) })
                      yield* claim.log(`step ${i}`)
                      yield* claim.save(i, state)
                      assert.strictEqual((yield* store.list)[0]?.state, "running")
                    })
                  )
                  assert.deepStrictEqual(
                    (yield* store.list).map((entry) => entry.state),
                    ["begun"]
                  )
                  assert.deepStrictEqual(yield* store.verify, [])
                  assert.isUndefined(yield* store.get(cell.key))
                }
                assert.deepStrictEqual(yield* store.collect({ begun: false, dryRun: false }), [])
                yield* working(cell.key, (claim) => claim.finish(cell))
                assert.deepStrictEqual(yield* store.get(cell.key), cell)
                assert.deepStrictEqual(yield* store.verify, [])
                yield* working(cell.key, (claim) => Effect.sync(() => assert.isUndefined(claim.checkpoint)))
                assert.deepStrictEqual(yield* store.get(cell.key), cell)
              })
            )
        ),
        { numRuns: 10 }
      ))

    it("has nothing to go on from after a restart", () =>
      onStore(
        Effect.gen(function* () {
          const store = yield* RunStore
          yield* working("cell", (claim) => Effect.andThen(claim.record({ step: 1 }), claim.save(1, Uint8Array.of(1))))
          yield* working("cell", (claim) =>
            Effect.gen(function* () {
              assert.deepStrictEqual(claim.checkpoint && [...claim.checkpoint], [1])
              yield* claim.restart("of no use")
            })
          )
          assert.deepStrictEqual(yield* store.list, [])
          assert.deepStrictEqual(yield* store.verify, [])
          yield* working("cell", (claim) =>
            Effect.gen(function* () {
              assert.isUndefined(claim.checkpoint)
              yield* claim.save(1, Uint8Array.of(2))
            })
          )
          yield* working("cell", ({ checkpoint }) =>
            Effect.sync(() => assert.deepStrictEqual(checkpoint && [...checkpoint], [2]))
          )
        })
      ))

    it("gives up half-done cells that nobody works on, when asked to", () =>
      onStore(
        Effect.gen(function* () {
          const store = yield* RunStore
          const [done] = sample("done")
          yield* put(yield* Effect.fromNullishOr(done))
          yield* working("half", (claim) => claim.save(1, new Uint8Array(3)))
          yield* working("busy", (claim) =>
            Effect.gen(function* () {
              yield* claim.save(1, new Uint8Array(4))
              const told = yield* store.collect({ begun: true, dryRun: true })
              assert.isTrue(told.length > 0 && told.every((name) => name.includes("half")), told.join())
              assert.deepStrictEqual(
                (yield* store.list).map(({ key }) => key),
                ["busy", "done", "half"]
              )
              assert.deepStrictEqual(yield* store.collect({ begun: true, dryRun: false }), told)
            })
          )
          assert.deepStrictEqual(
            (yield* store.list).map(({ key }) => key),
            ["busy", "done"]
          )
          yield* working("half", (claim) => Effect.sync(() => assert.isUndefined(claim.checkpoint)))
        })
      ))
  })
}
