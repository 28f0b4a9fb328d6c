import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { trainingBatches } from "../data/index.ts"
import { type DistillEvent, Distiller, StepState, type Widths } from "../distill/index.ts"
import { HeldOut } from "../evaluate/index.ts"
import { Model } from "../model/index.ts"
import { type ConfigError, Seed } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import type { Laboratory } from "./Laboratory.ts"

/** The machine a cell was run on, as its provenance names it. */
export interface Machine {
  readonly node: string
  readonly platform: string
  /** The version of this package. */
  readonly version: string
}

/** What happens while a cell is run. */
export type CellEvent =
  | { readonly _tag: "Distilled"; readonly event: DistillEvent }
  | { readonly _tag: "CurvePoint"; readonly point: Cell.Point }
  | { readonly _tag: "Measuring"; readonly measure: string }

/** What can stop a cell besides divergence, which is a result. */
export type CellFailure = CompileError | ExecutionError | ConfigError

/** The steps at which the discrepancy is measured: `points` of them, evenly, and the start. */
export const isPoint = (steps: number, points: number) => {
  const every = Math.max(1, Math.floor(steps / points))
  return (done: number): boolean => done % every === 0
}

const seconds = (from: number, to: number): number => Math.round(to - from) / 1000

/**
 * Runs one cell: distils, follows the discrepancy to the teacher, then takes the measures.
 *
 * A run that diverges gives a cell that says so, with the curve up to there.
 */
export const run = (
  cell: Cell.CellSpec,
  laboratory: Laboratory,
  machine: Machine,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Cell.CellResult, CellFailure, Backend> =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const { plan, scale } = cell
    const { steps, rows, length, maskRate } = plan.training
    const seed = Seed.make(cell.seed)
    const batches = trainingBatches(laboratory.dataset, { rows, length, maskRate })
    const curve: Array<Cell.Point> = []
    let widths: Widths = {}
    let measuring = 0
    let final: Model.Model | undefined

    const onSnapshot = (state: StepState.StepState, last: boolean) =>
      Effect.gen(function* () {
        const before = yield* Clock.currentTimeMillis
        const model = StepState.model(state)
        const { discrepancy } = yield* HeldOut.measure(model, laboratory.curve)
        const point = { step: state.step, discrepancy, parameters: Model.size(model) }
        curve.push(point)
        if (last) final = model
        yield* emit({ _tag: "CurvePoint", point })
        measuring += (yield* Clock.currentTimeMillis) - before
      })

    const diverged = yield* Distiller.run({
      plan,
      teacher: laboratory.teacher,
      seed,
      batch: batches.masked,
      snapshotAt: isPoint(steps, scale.points)
    }).pipe(
      Stream.runForEach((event) =>
        Effect.gen(function* () {
          if (event._tag === "Started" || event._tag === "Pruned") ({ widths } = event)
          yield* emit({ _tag: "Distilled", event })
          if (event._tag === "Snapshot") yield* onSnapshot(event.state, event.last)
        })
      ),
      Effect.as(undefined),
      Effect.catchTag("Diverged", (error) => Effect.succeed(error.message))
    )
    const trained = yield* Clock.currentTimeMillis

    const measures: Record<string, number> = {}
    if (final !== undefined) {
      const context = {
        model: final,
        dataset: laboratory.dataset,
        heldOut: laboratory.test,
        curve,
        seed
      }
      for (const measure of cell.measures) {
        yield* emit({ _tag: "Measuring", measure: measure.spec.name })
        Object.assign(measures, yield* measure.run(context))
      }
    }
    return {
      key: Cell.key(cell),
      spec: Cell.describe(cell),
      ...(diverged === undefined ? {} : { diverged }),
      measures,
      curve,
      widths,
      provenance: {
        seconds: seconds(started, yield* Clock.currentTimeMillis),
        trainSeconds: seconds(started + measuring, trained),
        ...machine
      }
    }
  })
