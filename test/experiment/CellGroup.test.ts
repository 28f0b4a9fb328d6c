import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { type Cell, CellGroup, Runner } from "homodistil/experiment"
import { runner } from "./toy.ts"

const [example] = await Effect.runPromise(Runner.plan(runner().options))

/** Cells of seeds and batch rows, which alone decide who shares a teacher. */
const cells = (kinds: ReadonlyArray<readonly [seed: number, rows: number]>) =>
  kinds.map(([seed, rows], index) => {
    if (example === undefined) throw new Error("the toy experiment has cells")
    const { plan } = example.spec
    const spec: Cell.CellSpec = { ...example.spec, seed, plan: { ...plan, training: { ...plan.training, rows } } }
    return { spec, index }
  })

/** A table: every row with each of so many seeds. */
const table = (rows: number, seeds: number) =>
  cells(Array.from({ length: rows * seeds }, (_, i) => [Math.floor(i / rows), 16] as const))

const sizes = (rows: number, seeds: number, jobs: number) =>
  CellGroup.of(table(rows, seeds), jobs).map((group) => group.length)

describe("CellGroup", () => {
  it("puts each cell in one group, with cells of its seed and batches only, and leaves no job idle", () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 3 }), fc.constantFrom(2, 16)), { maxLength: 40 }),
        fc.integer({ min: 1, max: 6 }),
        (kinds, jobs) => {
          const groups = CellGroup.of(cells(kinds), jobs)
          const indices = groups.flat().map(({ index }) => index)
          assert.deepStrictEqual(
            indices.toSorted((a, b) => a - b),
            kinds.map((_, i) => i)
          )
          for (const group of groups) {
            assert.isAtMost(group.length, CellGroup.largest)
            const shared = group.map(({ spec }) => `${spec.seed} ${spec.plan.training.rows}`)
            assert.strictEqual(new Set(shared).size, 1)
          }
          assert.isAtLeast(groups.length, Math.min(jobs, kinds.length))
        }
      )
    ))

  it("makes one group of the scorers of a seed, and splits what would leave a job idle at the end", () => {
    assert.deepStrictEqual(sizes(4, 3, 1), [4, 4, 4])
    assert.deepStrictEqual(sizes(4, 1, 2), [2, 2])
    assert.deepStrictEqual(sizes(4, 3, 2), [4, 4, 2, 2])
    assert.deepStrictEqual(sizes(4, 2, 8), [1, 1, 1, 1, 1, 1, 1, 1])
    assert.deepStrictEqual(sizes(20, 1, 1), [7, 7, 6])
    assert.deepStrictEqual(sizes(0, 0, 2), [])
  })

  it("lets runs of different lengths share, but not those on other data", () => {
    const [a, b] = table(2, 1)
    if (a === undefined || b === undefined) throw new Error("there are two cells")
    const { plan } = b.spec
    const longer = { ...b, spec: { ...b.spec, plan: { ...plan, training: { ...plan.training, steps: 99 } } } }
    const elsewhere = { ...b, spec: { ...b.spec, dataset: { ...b.spec.dataset, name: "other" } } }
    assert.lengthOf(CellGroup.of([a, longer], 1), 1)
    assert.lengthOf(CellGroup.of([a, elsewhere], 1), 2)
  })
})
