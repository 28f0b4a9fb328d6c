import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Backend } from "homodistil/backend"
import { LearningRate, Method } from "homodistil/distill"
import {
  type Cell,
  type CellEvent,
  CellRun,
  Experiment,
  FileRunStore,
  Laboratory,
  Runner,
  RunStore
} from "homodistil/experiment"
import { HeldOut } from "homodistil/evaluate"
import { Model } from "homodistil/model"
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { working } from "./runStoreSuite.ts"
import { experiment, longScale, machine, materials, numbers, remembering, run, runner, runOne, scale } from "./toy.ts"

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

  it("keeps the bytes of a cell without a teacher: the measures, the curve and the widths that it has when one is run", async () => {
    const { rows, alone, under } = await run(
      Effect.gen(function* () {
        const { measure } = experiment
        const method = { noTeacher: Method.noTeacher(), platon: Method.platonUnstructured() }
        const table = Experiment.make({ name: "free", title: "Free", method, measure, seeds: 1, baseline: "noTeacher" })
        const cells = yield* Runner.plan(runner({ experiment: table, seeds: [0], scale: longScale }).options)
        const specs = cells.map(({ spec }) => spec)
        const taught = specs.map((spec) => {
          const loss = { ...spec.plan.loss, teacherFree: false }
          return { ...spec, plan: { ...spec.plan, loss } }
        })
        return {
          rows: specs.length,
          alone: yield* Effect.forEach(specs, runCell),
          under: yield* Effect.forEach(taught, runCell)
        }
      })
    )
    assert.strictEqual(rows, 2)
    assert.deepStrictEqual(
      alone.map(({ result }) => numbers(result)),
      under.map(({ result }) => numbers(result))
    )
    for (const { result } of alone) {
      assert.isAbove(result.curve.at(-1)?.discrepancy ?? 0, 0)
      assert.isAbove(result.measures["heldOut.loss"] ?? 0, 0)
    }
  })

  it("gives the teacher's own measures where nothing is trained, and goes on from where it was", async () => {
    const { result, held, again } = await run(
      Effect.gen(function* () {
        const method = { ours: Method.homoDistil() }
        const reference = { teacher: Method.teacher() }
        const { measure } = experiment
        const table = Experiment.make({ name: "t", title: "t", method, reference, measure, seeds: 1, baseline: "ours" })
        const [cell] = yield* Runner.plan(runner({ experiment: table, seeds: [0], scale: longScale }).options)
        const spec = { ...(yield* Effect.fromNullishOr(cell)).spec }
        const laboratory = yield* Laboratory.make({ ...materials, scale })
        const held = yield* HeldOut.measure(materials.teacher, laboratory.test)
        const { result } = yield* runCell(spec)
        const { claim } = remembering()
        const options = { laboratory, machine, emit: () => Effect.void }
        yield* CellRun.run(spec, { ...options, claim: claim() })
        return { result, held, again: yield* CellRun.run(spec, { ...options, claim: claim() }) }
      }).pipe(Effect.scoped)
    )
    assert.isBelow(result.measures["curve.final"] ?? 1, 1e-6)
    assert.isBelow(result.measures["heldOut.discrepancy"] ?? 1, 1e-6)
    assert.strictEqual(result.measures["heldOut.loss"], held.loss)
    assert.deepStrictEqual(
      result.path.map(({ step, parameters }) => [step, parameters]),
      [[0, Model.size(materials.teacher)]]
    )
    assert.strictEqual(numbers(again), numbers(result))
    assert.strictEqual(again.provenance.resumed, 1)
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

/** A store in a new folder, and the lines of its only cell's metrics and log. */
const onDisk = <A, E>(use: (cell: string) => Effect.Effect<A, E, Backend | RunStore>) => {
  const folder = mkdtempSync(join(tmpdir(), "homodistil-cell-"))
  const read = (name: string) => readFileSync(join(folder, "cells", "cell", name), "utf8")
  const store = Layer.provide(FileRunStore.layer(folder), NodeServices.layer)
  return run(use(join(folder, "cells", "cell")), store)
    .then(() => ({ metrics: read("metrics.ndjson"), result: read("result.json"), log: read("log.txt") }))
    .finally(() => rmSync(folder, { recursive: true }))
}

/** Runs a cell as far as its result, which is kept where `end` is set. */
const claimed = (end: boolean) =>
  Effect.gen(function* () {
    const spec = yield* Effect.fromNullishOr(yield* planned())
    const laboratory = yield* Laboratory.make({ ...materials, scale })
    const claim = yield* Effect.fromNullishOr(yield* (yield* RunStore).claim("cell"))
    const emit = () => Effect.void
    yield* CellRun.run(spec, {
      laboratory,
      machine,
      emit,
      checkpointEvery: 0,
      claim: end ? claim : { ...claim, finish: () => Effect.void }
    })
  }).pipe(Effect.scoped)

describe("a cell that cannot go on", () => {
  const whole = onDisk(() => claimed(true))

  it("starts over where its checkpoint cannot be read, and ends with the bytes of one that never stopped", async () => {
    const { log, ...objects } = await onDisk(() =>
      Effect.andThen(
        working("cell", (claim) =>
          Effect.gen(function* () {
            for (let step = 1; step <= 3; step++) yield* claim.record({ event: "of another version", step })
            yield* claim.save(3, Uint8Array.of(1, 2, 3))
          })
        ),
        claimed(true)
      )
    )
    const { log: _, ...expected } = await whole
    assert.isAbove(expected.metrics.length, 500)
    assert.deepStrictEqual(objects, expected)
    assert.match(log, /starts anew: the checkpoint cannot be read: /)
    assert.notInclude(log, "goes on from")
  })

  const damages: ReadonlyArray<readonly [what: string, change: (text: string) => string | undefined]> = [
    ["lack their first line", (text) => text.slice(text.indexOf("\n") + 1)],
    ["have a wrong letter", (text) => text.replace("e", "f")],
    ["lack their end", (text) => text.slice(0, 300)],
    ["are empty", () => ""],
    ["are gone", () => undefined]
  ]
  it.each(damages)(
    "starts over where its metrics %s, and ends with those of one that never stopped",
    async (_, change) => {
      const { log, ...objects } = await onDisk((cell) =>
        Effect.gen(function* () {
          yield* claimed(false)
          const file = join(cell, "metrics.ndjson")
          const changed = change(readFileSync(file, "utf8"))
          yield* Effect.sync(() => (changed === undefined ? rmSync(file) : writeFileSync(file, changed)))
          yield* claimed(true)
        })
      )
      const { log: __, ...expected } = await whole
      assert.deepStrictEqual(objects, expected)
      assert.match(log, /passed over: the metrics it was made with are not there any more/)
    }
  )

  it("goes on from its checkpoint where only what came after it was damaged", async () => {
    const { log, ...objects } = await onDisk((cell) =>
      Effect.gen(function* () {
        yield* claimed(false)
        yield* Effect.sync(() => appendFileSync(join(cell, "metrics.ndjson"), '{"half'))
        yield* claimed(true)
      })
    )
    const { log: _, ...expected } = await whole
    assert.deepStrictEqual(objects, expected)
    assert.match(log, /goes on from step 6/)
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
    const finished = await run(runOne(runner({ experiment: table, seeds: [0], scale: longScale }).options))
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
      (await Effect.runPromise(Runner.plan(runner({ experiment: table, seeds: [0], scale: longScale }).options))).map(
        ({ key }) => key
      )
    assert.includeMembers([...(await keysOf(ownTable))], [...(await keysOf(table6))])
  })
})
