import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Cell, type CellEvent, type CellResult, Runner } from "homodistil/experiment"
import * as LiveLines from "../../src/cli/LiveLines.ts"
import * as PretrainingView from "../../src/cli/PretrainingView.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as RunView from "../../src/cli/RunView.ts"
import * as TableProgress from "../../src/cli/TableProgress.ts"
import { machine, runner } from "../experiment/toy.ts"
import { golden } from "../golden/golden.ts"
import { screen } from "./terminal.ts"

const planned = await Effect.runPromise(Runner.plan(runner().options))

const stepped = (step: number): CellEvent => ({
  _tag: "Distilled",
  event: { _tag: "Stepped", step, learningRate: 0.001, total: 3.2, terms: { mlm: 2.5, kl: 0.41 } }
})
const startedRun: CellEvent = {
  _tag: "Distilled",
  event: {
    _tag: "Started",
    steps: 400,
    widths: { hidden: 128, "layer.0.ffn": 512, "layer.1.ffn": 480 },
    parameters: 1_353_216,
    nodes: 1
  }
}
const point: CellEvent = { _tag: "CurvePoint", point: { step: 100, discrepancy: 0.8123, parameters: 812_345 } }

const provenance = (seconds: number, resumed = 0): Cell.Provenance => ({
  ...machine,
  seconds,
  trainSeconds: 0.75 * seconds,
  finished: "1970-01-01T00:00:00.000Z",
  resumed
})

const widths = { hidden: 45, "layer.0.ffn": 180, "layer.1.ffn": 180 }

/** The result of a cell that ended well. */
const ended = ({ key }: Runner.PlannedCell, seconds: number, resumed = 0): CellResult => ({
  key,
  spec: {},
  measures: { "curve.final": 1.488 },
  curve: [{ step: 400, discrepancy: 1.488, parameters: 189_000 }],
  path: [{ step: 280, widths, parameters: 189_000 }],
  trajectory: [{ step: 400, parameters: 189_000, measures: { "genre.probe": 50 } }],
  provenance: provenance(seconds, resumed)
})

/** The result of a cell that diverged. */
const diverged = ({ key }: Runner.PlannedCell): CellResult => ({
  key,
  spec: {},
  diverged: "loss NaN at step 12",
  measures: {},
  curve: [],
  path: [],
  trajectory: [],
  provenance: provenance(8)
})

/** The work of a cell of four hundred equal steps, and of measures that cost a hundred more. */
const work = { stretches: [{ from: 0, to: 400, each: 1 }], end: 100, total: 500 }
const alone = ({ key }: Runner.PlannedCell) => [{ key, work }]

/**
 * The events of a table of seven cells, two at a time, and when they happen (seconds): one is kept from before, one is gone on with, one
 * diverges, and of two that another process works on one is finished by it, and the other is taken over.
 */
const story: ReadonlyArray<readonly [at: number, event: Runner.RunnerEvent]> = (() => {
  const [a, b, c, d] = planned
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    throw new Error("the toy experiment has four cells")
  const [e, f] = [
    { ...a, key: "e", seed: 2 },
    { ...b, key: "f", seed: 2 }
  ]
  const progress = (cell: Runner.PlannedCell, event: CellEvent): Runner.RunnerEvent => ({
    _tag: "CellProgress",
    cell,
    event
  })
  return [
    [0, { _tag: "Planned", cells: 7, kept: 1, atOnce: 2, groups: [a, b, c, d, e, f].map(alone), jobs: 2 }],
    [1, { _tag: "CellStarted", cell: a }],
    [2, { _tag: "CellStarted", cell: b, from: 200 }],
    [3, progress(a, startedRun)],
    [4, { _tag: "CellElsewhere", cell: c }],
    [5, { _tag: "CellElsewhere", cell: d }],
    [13, progress(a, stepped(100))],
    [14, progress(a, point)],
    [15, progress(b, startedRun)],
    [16, progress(a, { _tag: "Measuring", measure: "MLM loss" })],
    [41, { _tag: "CellFinished", cell: a, result: ended(a, 40) }],
    [42, { _tag: "CellStarted", cell: e }],
    // forty steps since it was gone on with, not two hundred and forty
    [43, progress(b, stepped(240))],
    [50, { _tag: "CellFinished", cell: e, result: diverged(e) }],
    [51, { _tag: "CellFinished", cell: c, result: ended(c, 44) }],
    // the other process is gone
    [52, { _tag: "CellStarted", cell: d, from: 100 }],
    [60, { _tag: "CellFinished", cell: b, result: ended(b, 90, 1) }],
    [61, { _tag: "CellStarted", cell: f }],
    [90, { _tag: "CellFinished", cell: d, result: ended(d, 70, 1) }],
    [95, { _tag: "CellFinished", cell: f, result: ended(f, 34) }]
  ]
})()

describe("the progress of a table", () => {
  it("is a pure function of events and times", () => {
    let state = TableProgress.start("table6 at micro scale", 0)
    const shown = story.flatMap(([at, event]) => {
      state = TableProgress.follow(state, event, 1000 * at)
      const lasting = TableProgress.line(state, event, 1000 * at)
      return [
        `== ${at} s: ${event._tag}`,
        ...(lasting === undefined ? [] : [`> ${lasting}`]),
        ...TableProgress.lines(state, 1000 * at, 100)
      ]
    })
    golden("progress.txt", `${shown.join("\n")}\n`)
  })

  const play = (live: boolean, quiet: boolean) =>
    Effect.gen(function* () {
      const { written, layer } = screen({ live, columns: 100 })
      yield* Effect.gen(function* () {
        const emit = yield* Progress.table("table6", quiet)
        let now = 0
        for (const [at, event] of story) {
          yield* TestClock.adjust(1000 * (at - now))
          now = at
          yield* emit(event)
        }
      }).pipe(Effect.scoped, Effect.provide(layer))
      return written
    }).pipe(Effect.provide(TestClock.layer()), Effect.runPromise)

  it("is plain lines where standard error is no terminal: now and then one of each cell", async () => {
    const { error, out } = await play(false, false)
    assert.strictEqual(out, "")
    assert.notInclude(error, "\u001b")
    const lines = error.trimEnd().split("\n")
    assert.deepStrictEqual(
      lines.map((line) => line.split("  ").slice(0, 2).join("  ")),
      [
        "table6: 7 cells, 1 kept from before; 2 at a time",
        "magnitude · seed 0  starting",
        "PLATON · seed 0: goes on from step 200",
        "PLATON · seed 0  starting",
        "magnitude · seed 1: another process works on it",
        "PLATON · seed 1: another process works on it",
        "magnitude · seed 0  100/400",
        "magnitude · seed 0: 40 s  discrepancy 1.49",
        "magnitude · seed 2  starting",
        "magnitude · seed 2: 8.0 s  loss NaN at step 12",
        "magnitude · seed 1: 44 s  discrepancy 1.49",
        "PLATON · seed 1: goes on from step 100",
        "PLATON · seed 1  starting",
        "PLATON · seed 0: 90 s  discrepancy 1.49",
        "PLATON · seed 2  starting",
        "PLATON · seed 1: 70 s  discrepancy 1.49",
        "PLATON · seed 2: 34 s  discrepancy 1.49"
      ]
    )
  })

  it("is rewritten in place on a terminal, and gone at the end", async () => {
    const { error, out } = await play(true, false)
    assert.strictEqual(out, "")
    assert.include(error, "\u001b[1A\r\u001b[0J")
    const left = error.split("\u001b[0J").at(-1)
    assert.strictEqual(left, "")
    assert.include(error, "magnitude · seed 0: 40 s")
  })

  it("is silent when asked to be", async () => assert.deepStrictEqual(await play(true, true), { out: "", error: "" }))
})

describe("live lines", () => {
  it("are rewritten at most ten times a second", async () => {
    const { written, layer } = screen({ live: true })
    await Effect.gen(function* () {
      const live = yield* LiveLines.make(false)
      for (let i = 0; i < 50; i++) {
        yield* live.show(() => [`line ${i}`])
        yield* TestClock.adjust(10)
      }
    }).pipe(Effect.scoped, Effect.provide([layer, TestClock.layer()]), Effect.runPromise)
    assert.lengthOf([...written.error.matchAll(/line \d+/g)], 5)
  })

  it("clear what was there, and nothing where nothing was", () => {
    assert.strictEqual(LiveLines.clear(0), "")
    assert.strictEqual(LiveLines.clear(3), "\u001b[3A\r\u001b[0J")
  })
})

describe("a run's line", () => {
  it("shows a range of widths where layers differ", () =>
    assert.strictEqual(RunView.widths({ hidden: 45, "layer.0.ffn": 12, "layer.1.ffn": 30 }), "hidden 45, ffn 12-30"))

  it("knows no rate before the first step", () => {
    const view = RunView.follow(RunView.start("a", 0), startedRun, 1000)
    assert.strictEqual(RunView.left(view, 1000), undefined)
    const later = RunView.follow(view, stepped(100), 11_000)
    assert.strictEqual(RunView.rate(later, 11_000), 10)
    assert.strictEqual(RunView.left(later, 11_000), 30)
    // steps of the run before it went on were not done in this time
    const resumed = { ...later, from: 50, discrepancy: 0.25 }
    assert.strictEqual(RunView.rate(resumed, 11_000), 5)
    assert.include(RunView.parts(resumed, 11_000), "discrepancy 0.250")
    assert.include(RunView.parts({ ...resumed, distance: "1 - CKA" }, 11_000), "1 - CKA 0.250")
  })
})

describe("the progress of a pre-training", () => {
  it("smooths the loss within a phase, and starts anew in the next", () => {
    const step = (step: number, phase: "causal" | "masked", loss: number) =>
      ({ _tag: "Step", step, phase, loss }) as const
    const first = PretrainingView.follow(PretrainingView.start(100, 0), step(0, "causal", 8))
    const second = PretrainingView.follow(first, step(1, "causal", 7))
    const third = PretrainingView.follow(second, step(2, "masked", 6))
    assert.deepStrictEqual([first.loss, second.loss, third.loss], [8, 7.98, 6])
    const heldOut = { loss: 4.06, accuracy: 0.2875, discrepancy: 0, tokens: 1 }
    const measured = PretrainingView.follow(third, { _tag: "HeldOut", step: 3, measures: heldOut })
    assert.strictEqual(
      PretrainingView.parts(measured, 1500).join("  "),
      "pretraining  3/100  masked  loss 6.00  held-out loss 4.06, accuracy 28.7 %  2.00 steps/s  49 s left"
    )
  })
})
