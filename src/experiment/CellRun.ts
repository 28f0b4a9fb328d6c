import type * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Backend } from "../backend/index.ts"
import { trainingBatches } from "../data/index.ts"
import {
  type DistillEvent,
  Distiller,
  type DistillPlan,
  Diverged,
  SharedTeacher,
  StepState,
  type Widths
} from "../distill/index.ts"
import { HeldOut, type Measure } from "../evaluate/index.ts"
import { Model } from "../model/index.ts"
import { Seed } from "../spec/index.ts"
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
export type CellFailure = Measure.MeasureError

/** The steps at which the discrepancy is measured: `points` of them, evenly, and the start. */
export const isPoint = (steps: number, points: number) => {
  const every = Math.max(1, Math.floor(steps / points))
  return (done: number): boolean => done % every === 0
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000

/** Takes the measures of a cell; one that is not finite ends the cell as divergence does. */
const take = (
  { measures, scale }: Cell.CellSpec,
  context: Measure.MeasureContext,
  emit: (event: CellEvent) => Effect.Effect<void>
) =>
  Effect.forEach(measures, (measure) =>
    Effect.andThen(
      emit({ _tag: "Measuring", measure: measure.columns[0]?.name ?? measure.spec.name }),
      measure.run({ ...context, small: scale.small })
    )
  ).pipe(
    Effect.map((each): Measured => {
      const values = Object.fromEntries(each.flatMap((some) => Object.entries(some)))
      const wrong = Object.entries(values).find(([, value]) => !Number.isFinite(value))
      return wrong === undefined ? { values } : { values: {}, diverged: `${wrong[0]} became ${wrong[1]}` }
    }),
    Effect.catchTag("NotFinite", ({ message }) => Effect.succeed<Measured>({ values: {}, diverged: message }))
  )

interface Measured {
  readonly values: { readonly [id: string]: number }
  readonly diverged?: string
}

/** A distillation that is over, and what was seen of it on the way. */
export interface Distilled {
  /** The student; none when the run diverged. */
  readonly student?: Model.Model
  readonly diverged?: Diverged
  /** The discrepancy to the teacher, as far as the run came. */
  readonly curve: ReadonlyArray<Cell.Point>
  readonly widths: Widths
  /** Milliseconds spent on measuring the curve. */
  readonly measuring: number
}

/** A method and the seed it is run with. */
export interface Trial {
  readonly plan: DistillPlan.DistillPlan
  readonly seed: number
}

/** The teacher of trials that have seed and batches in common, with all that their losses tap. */
export const teacherOf = (
  trials: Arr.NonEmptyReadonlyArray<Trial>,
  { teacher, dataset }: Pick<Laboratory, "teacher" | "dataset">
): SharedTeacher.SharedTeacherOptions => {
  const [{ plan, seed }] = trials
  const { rows, length, maskRate } = plan.training
  return {
    teacher,
    taps: [...new Set(trials.flatMap((trial) => trial.plan.loss.taps))],
    seed: Seed.make(seed),
    batch: trainingBatches(dataset, { rows, length, maskRate }).masked
  }
}

const distilWith = (
  share: SharedTeacher.Share,
  { plan, points }: { readonly plan: DistillPlan.DistillPlan; readonly points: number },
  laboratory: Pick<Laboratory, "curve">,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Distilled, CellFailure, Backend> =>
  Effect.gen(function* () {
    const curve: Array<Cell.Point> = []
    let widths: Widths = {}
    let measuring = 0
    let student: Model.Model | undefined

    const onSnapshot = (state: StepState.StepState, last: boolean) =>
      Effect.gen(function* () {
        const before = yield* share.spent
        const model = StepState.model(state)
        const { discrepancy } = yield* HeldOut.measure(model, laboratory.curve)
        if (!Number.isFinite(discrepancy)) return yield* new Diverged({ step: state.step, loss: String(discrepancy) })
        const point = { step: state.step, discrepancy, parameters: Model.size(model) }
        curve.push(point)
        if (last) student = model
        yield* emit({ _tag: "CurvePoint", point })
        measuring += (yield* share.spent) - before
      })

    const diverged = yield* Distiller.runWith(share, {
      plan,
      snapshotAt: isPoint(plan.training.steps, points)
    }).pipe(
      Stream.runForEach((event) =>
        Effect.gen(function* () {
          if (event._tag === "Started" || event._tag === "Pruned") ({ widths } = event)
          yield* emit({ _tag: "Distilled", event })
          if (event._tag === "Snapshot") yield* onSnapshot(event.state, event.last)
        })
      ),
      Effect.as({}),
      Effect.catchTag("Diverged", (error) => Effect.succeed({ diverged: error }))
    )
    return { ...(student === undefined ? {} : { student }), ...diverged, curve, widths, measuring }
  })

/** Distils, and follows the discrepancy to the teacher at `points` steps besides the start. */
export const distil = (
  trial: Trial & { readonly points: number },
  laboratory: Pick<Laboratory, "teacher" | "dataset" | "curve">,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Distilled, CellFailure, Backend> =>
  SharedTeacher.alone(teacherOf([trial], laboratory)).pipe(
    Effect.flatMap((share) => distilWith(share, trial, laboratory, emit)),
    Effect.scoped
  )

/**
 * Runs one cell: distils, follows the discrepancy to the teacher, then takes the measures. `share` is of the teacher that `teacherOf`
 * describes, for this cell alone or for several; the numbers are the same.
 *
 * A run that diverges gives a cell that says so, with the curve up to there.
 */
export const runWith = (
  share: SharedTeacher.Share,
  cell: Cell.CellSpec,
  laboratory: Laboratory,
  machine: Machine,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Cell.CellResult, CellFailure, Backend> =>
  Effect.gen(function* () {
    const { plan, seed, scale } = cell
    const { student, curve, widths, ...run } = yield* distilWith(
      share,
      { plan, points: scale.points },
      laboratory,
      emit
    )
    const trained = yield* share.spent
    const { dataset, test: heldOut } = laboratory
    const measured: Measured =
      student === undefined
        ? { values: {} }
        : yield* take(cell, { model: student, dataset, heldOut, curve, seed: Seed.make(seed) }, emit)
    const diverged = run.diverged?.message ?? measured.diverged
    return {
      key: Cell.key(cell),
      spec: Cell.describe(cell),
      ...(diverged === undefined ? {} : { diverged }),
      measures: measured.values,
      curve,
      widths,
      provenance: { seconds: seconds(yield* share.spent), trainSeconds: seconds(trained - run.measuring), ...machine }
    }
  })

/** Runs one cell with a teacher of its own. */
export const run = (
  cell: Cell.CellSpec,
  laboratory: Laboratory,
  machine: Machine,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Cell.CellResult, CellFailure, Backend> =>
  SharedTeacher.alone(teacherOf([cell], laboratory)).pipe(
    Effect.flatMap((share) => runWith(share, cell, laboratory, machine, emit)),
    Effect.scoped
  )
