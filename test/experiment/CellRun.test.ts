import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LearningRate } from "homodistil/distill"
import { type Cell, type CellEvent, CellRun, Experiment, Laboratory, Runner } from "homodistil/experiment"
import { experiment, machine, materials, numbers, run, runner, runOne, scale } from "./toy.ts"

const runCell = (spec: Cell.CellSpec) =>
  Effect.gen(function* () {
    const events: Array<CellEvent> = []
    const laboratory = yield* Laboratory.make({ ...materials, scale })
    const result = yield* CellRun.run(spec, {
      laboratory,
      machine,
      emit: (event) => Effect.sync(() => void events.push(event))
    })
    return { result, events }
  }).pipe(Effect.scoped)

const planned = (options = runner().options) => Effect.map(Runner.plan(options), ([cell]) => cell?.spec)

describe("CellRun", () => {
  it("gives the curve from the start to the end, the measures, and the widths", async () => {
    const { result, events, again } = await run(
      Effect.gen(function* () {
        const spec = yield* Effect.fromNullishOr(yield* planned())
        const { result, events } = yield* runCell(spec)
        return { result, events, again: (yield* runCell(spec)).result }
      })
    )
    assert.deepStrictEqual(
      result.curve.map(({ step }) => step),
      [0, 3, 6]
    )
    // a student that starts as its teacher has no discrepancy, and has one when it is pruned
    assert.isBelow(result.curve[0]?.discrepancy ?? 1, 1e-6)
    assert.isAbove(result.curve[2]?.discrepancy ?? 0, 0)
    assert.deepStrictEqual(result.path.at(-1)?.widths, {
      hidden: 2,
      "layer.0.ffn": 3,
      "layer.0.qk": 2,
      "layer.0.vo": 2
    })
    assert.includeMembers(Object.keys(result.measures), ["heldOut.loss", "curve.area"])
    assert.strictEqual(result.diverged, undefined)
    assert.deepStrictEqual(
      events.flatMap((event) => (event._tag === "Measuring" ? [event.measure] : [])),
      ["Test discrepancy", "Final discrepancy"]
    )
    assert.strictEqual(numbers(again), numbers(result))
  })

  it("says that a run diverged, and keeps the curve up to there", async () => {
    const { result } = await run(
      Effect.gen(function* () {
        const spec = yield* Effect.fromNullishOr(yield* planned())
        const learningRate = LearningRate.linearDecay({ peak: 1e30, warmup: 0 })
        return yield* runCell({ ...spec, plan: { ...spec.plan, learningRate } })
      })
    )
    assert.match(result.diverged ?? "", /the loss became \S+ at step \d+; lower the learning rate/)
    assert.deepStrictEqual(result.measures, {})
    assert.strictEqual(result.curve[0]?.step, 0)
  })

  it("says so when a measure is no number", async () => {
    const broken = {
      spec: { name: "broken", version: 1, options: {} },
      columns: [],
      run: () => Effect.succeed({ broken: Number.NaN })
    }
    const { result } = await run(
      Effect.gen(function* () {
        const spec = yield* Effect.fromNullishOr(yield* planned())
        return yield* runCell({ ...spec, measures: [broken] })
      })
    )
    assert.strictEqual(result.diverged, "broken became NaN")
  })
})

const table6Labels = [
  "magnitude",
  "random (control)",
  "gradient",
  "movement",
  "taylor",
  "fisher",
  "sensitivity",
  "PLATON"
]

describe("a scorer of one's own", () => {
  it("runs beside the others in Table 6", async () => {
    const { default: ownTable } = await import("../../examples/ownTable.ts")
    assert.isTrue(Experiment.isExperiment(ownTable))
    const table = { ...ownTable, measure: experiment.measure }
    const finished = await run(runOne(runner({ experiment: table, seeds: [0] }).options))
    assert.deepStrictEqual(
      finished.rows.map(({ row }) => row.label),
      [...table6Labels, "peak gradient (ours)"]
    )
    for (const { cells } of finished.rows) assert.isAbove(cells[0]?.measures["heldOut.loss"] ?? 0, 0)
    const keys = finished.rows.flatMap(({ cells }) => cells.map(({ key }) => key))
    assert.strictEqual(new Set(keys).size, table6Labels.length + 1)
  })

  it("shares the cells of Table 6 that it does not change", async () => {
    const [{ default: ownTable }, { default: table6 }] = await Promise.all([
      import("../../examples/ownTable.ts"),
      import("../../experiments/table6.ts")
    ])
    const keysOf = async (table: Experiment.ExperimentOptions) =>
      (await Effect.runPromise(Runner.plan(runner({ experiment: table, seeds: [0] }).options))).map(({ key }) => key)
    assert.includeMembers([...(await keysOf(ownTable))], [...(await keysOf(table6))])
  })
})
