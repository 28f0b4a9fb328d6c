import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backend } from "homodistil/backend"
import { layerMemory, Runner, RunStore } from "homodistil/experiment"
import { numbers, run, runner } from "./toy.ts"

const cellsOf = ({ rows }: Runner.Finished) => rows.flatMap(({ cells }) => cells)

/** Runs the toy experiment twice on one store. */
const twice = Effect.gen(function* () {
  const first = runner()
  const second = runner()
  const backend = yield* Backend
  const before = yield* backend.live
  const one = yield* Runner.run(first.options)
  const two = yield* Runner.run(second.options)
  return { one, two, first: first.events, second: second.events, before, after: yield* backend.live }
})

describe("Runner", () => {
  it("runs every row with every seed, keeps the cells, and then runs nothing", async () => {
    const { one, two, first, second, before, after } = await run(twice)
    assert.deepStrictEqual(
      one.rows.map(({ row, cells }) => [row.label, cells.length]),
      [
        ["magnitude", 2],
        ["PLATON", 2]
      ]
    )
    assert.strictEqual(first.filter(({ _tag }) => _tag === "CellFinished").length, 4)
    assert.deepStrictEqual(second, [{ _tag: "Planned", cells: 4, kept: 4, jobs: 2 }])
    assert.deepStrictEqual(two, one)
    assert.deepStrictEqual(after, before)
  })

  it("gives the same numbers whatever runs at the same time, and in another store", async () => {
    const together = await run(Runner.run(runner().options))
    const alone = await run(Runner.run(runner({ jobs: 1, seeds: [1] }).options))
    const of = (finished: Runner.Finished) => new Map(cellsOf(finished).map((cell) => [cell.key, numbers(cell)]))
    for (const [key, text] of of(alone)) assert.strictEqual(text, of(together).get(key))
    assert.strictEqual(of(alone).size, 2)
  })

  it("pairs rows by seed: the same cells in the same order", async () => {
    const planned = await Effect.runPromise(Runner.plan(runner().options))
    assert.deepStrictEqual(
      planned.map(({ row, seed }) => `${row.name} ${seed}`),
      ["magnitude 0", "platon 0", "magnitude 1", "platon 1"]
    )
    assert.strictEqual(new Set(planned.map(({ key }) => key)).size, 4)
  })

  it("keeps what was finished when a later cell fails", async () => {
    const { options, events } = runner({ jobs: 1, seeds: [0] })
    const failing = {
      ...options,
      experiment: {
        ...options.experiment,
        measure: [
          {
            ...options.experiment.measure[0],
            spec: { name: "fails", version: 1, options: {} },
            columns: [],
            run: () => (events.some(({ _tag }) => _tag === "CellFinished") ? Effect.die("broken") : Effect.succeed({}))
          }
        ]
      }
    }
    const kept = await run(
      Effect.gen(function* () {
        yield* Effect.exit(Runner.run(failing))
        const store = yield* RunStore
        const planned = yield* Runner.plan(failing)
        return yield* Effect.forEach(planned, ({ key }) => Effect.map(store.get(key), (cell) => cell !== undefined))
      }),
      layerMemory
    )
    assert.deepStrictEqual(kept, [true, false])
  })
})
