import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Backend } from "homodistil/backend"
import { CellRun, Experiment, Laboratory, layerMemory, Runner, RunStore } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { experiment, machine, materials, numbers, run, runner, runOne, scale } from "./toy.ts"

/** Table 6's scorers with one seed: cells that share a teacher. */
const four = {
  experiment: Experiment.make({
    ...experiment,
    vary: {
      scorer: [
        Scorer.magnitude(),
        Scorer.random(),
        Scorer.sensitivity({ window: 2 }),
        Scorer.platon({ window: 2 })
      ].map(Scorer.layer)
    }
  }),
  seeds: [0]
}

const cellsOf = ({ rows }: Runner.Finished) => rows.flatMap(({ cells }) => cells)

/** Runs the toy experiment twice on one store. */
const twice = Effect.gen(function* () {
  const first = runner()
  const second = runner()
  const backend = yield* Backend
  const before = yield* backend.live
  const one = yield* runOne(first.options)
  const two = yield* runOne(second.options)
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
    assert.deepStrictEqual(second, [{ _tag: "Planned", cells: 4, kept: 4, atOnce: 0, groups: [], jobs: 2 }])
    assert.deepStrictEqual(two, one)
    assert.deepStrictEqual(after, before)
  })

  it("gives the same numbers whatever runs at the same time, and in another store", async () => {
    const together = await run(runOne(runner().options))
    const alone = await run(runOne(runner({ jobs: 1, seeds: [1] }).options))
    const of = (finished: Runner.Finished) => new Map(cellsOf(finished).map((cell) => [cell.key, numbers(cell)]))
    for (const [key, text] of of(alone)) assert.strictEqual(text, of(together).get(key))
    assert.strictEqual(of(alone).size, 2)
  })

  it("gives a cell of a group the numbers, the curve and the widths that it has alone", async () => {
    const { together, alone } = await run(
      Effect.gen(function* () {
        const { options } = runner(four)
        const planned = yield* Runner.plan(options)
        const together = yield* runOne(options)
        const laboratory = yield* Laboratory.make({ ...materials, scale })
        const alone = yield* Effect.forEach(planned, ({ spec }) =>
          CellRun.run(spec, { laboratory, machine, emit: () => Effect.void })
        )
        return { together, alone }
      }).pipe(Effect.scoped)
    )
    assert.deepStrictEqual(cellsOf(together).map(numbers), alone.map(numbers))
  })

  it("runs a group in lock-step, and tells of each cell as it happens", async () => {
    const { events, options } = runner({ ...four, jobs: 1 })
    await run(runOne(options))
    const [planned] = events
    assert.deepInclude(planned, { _tag: "Planned", cells: 4, atOnce: 4, jobs: 1 })
    const groups = planned?._tag === "Planned" ? planned.groups.map((group) => group.map(({ key }) => key)) : []
    const begun = events.flatMap((event) => (event._tag === "CellStarted" ? [event.cell.key] : []))
    assert.deepStrictEqual(groups, [begun])
    const steps = events.flatMap((event) =>
      event._tag === "CellProgress" && event.event._tag === "Distilled" && event.event.event._tag === "Stepped"
        ? [`${event.event.event.step} ${event.cell.row.label}`]
        : []
    )
    const expected = Array.from({ length: scale.training.steps ?? 0 }, (_, step) =>
      ["magnitude", "random", "sensitivity", "PLATON"].map((label) => `${step + 1} ${label}`)
    ).flat()
    // the last step of a cell is followed by its measures, while the others wait
    assert.deepStrictEqual(steps, expected)
    const labels = events.flatMap((event) => (event._tag === "CellFinished" ? [event.cell.row.label] : []))
    assert.deepStrictEqual(labels, ["magnitude", "random", "sensitivity", "PLATON"])
    const times = events.flatMap((event) => (event._tag === "CellFinished" ? [event.result.provenance] : []))
    for (const { seconds, trainSeconds } of times) assert.isAtLeast(seconds, trainSeconds)
  })

  it("pairs rows by seed: the same cells in the same order", async () => {
    const planned = await Effect.runPromise(Runner.plan(runner().options))
    assert.deepStrictEqual(
      planned.map(({ row, seed }) => `${row.name} ${seed}`),
      ["magnitude 0", "platon 0", "magnitude 1", "platon 1"]
    )
    assert.strictEqual(new Set(planned.map(({ key }) => key)).size, 4)
  })

  it("finishes the other cells of a group when one fails, and then fails", async () => {
    const { options } = runner({ ...four, jobs: 1 })
    const [first] = await Effect.runPromise(Runner.plan(options))
    const failing = {
      ...options,
      emit: (event: Runner.RunnerEvent) =>
        event._tag === "CellStarted" && event.cell.row.name === first?.row.name ? Effect.die("broken") : Effect.void
    }
    const { exit, kept } = await run(
      Effect.gen(function* () {
        const exit = yield* Effect.exit(runOne(failing))
        const store = yield* RunStore
        const planned = yield* Runner.plan(failing)
        const kept = yield* Effect.forEach(planned, ({ key }) =>
          Effect.map(store.get(key), (cell) => cell !== undefined)
        )
        return { exit, kept }
      })
    )
    assert.isTrue(Exit.isFailure(exit))
    assert.deepStrictEqual(kept, [false, true, true, true])
  })

  it("keeps what was finished when a later cell fails", async () => {
    const { options, events } = runner({ jobs: 1, seeds: [0] })
    const failing = {
      ...runner({
        jobs: 1,
        seeds: [0],
        experiment: {
          ...options.experiment,
          measure: [
            {
              ...options.experiment.measure[0],
              spec: { name: "fails", version: 1, options: {} },
              columns: [],
              run: () =>
                events.some(({ _tag }) => _tag === "CellFinished") ? Effect.die("broken") : Effect.succeed({})
            }
          ]
        }
      }).options,
      emit: options.emit
    }
    const kept = await run(
      Effect.gen(function* () {
        yield* Effect.exit(runOne(failing))
        const store = yield* RunStore
        const planned = yield* Runner.plan(failing)
        return yield* Effect.forEach(planned, ({ key }) => Effect.map(store.get(key), (cell) => cell !== undefined))
      }),
      layerMemory
    )
    assert.deepStrictEqual(kept, [true, false])
  })
})
