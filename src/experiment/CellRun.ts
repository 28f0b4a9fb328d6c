import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Backend } from "../backend/index.ts"
import { trainingBatches } from "../data/index.ts"
import { SharedTeacher } from "../distill/index.ts"
import { HeldOut, Measure } from "../evaluate/index.ts"
import { teacherTaps } from "../loss/index.ts"
import type { Model } from "../model/index.ts"
import { type OutputError, Seed } from "../spec/index.ts"
import * as Cell from "./Cell.ts"
import * as CellCheckpoint from "./CellCheckpoint.ts"
import type { CellEvent, CellFailure } from "./CellEvent.ts"
import * as Distillation from "./Distillation.ts"
import type { Laboratory } from "./Laboratory.ts"
import { type Claim, type StoreError, unkept } from "./RunStore.ts"

/** The machine a cell was run on, as its provenance names it. */
export type Machine = Omit<Cell.Provenance, "seconds" | "trainSeconds" | "finished" | "resumed">

/** What a cell is run with. */
export interface CellContext {
  readonly laboratory: Laboratory
  readonly machine: Machine
  /** Where checkpoints, metrics and the result go; nowhere unless given. */
  readonly claim?: Claim
  /** What it goes on from, as `beginning` gives it; it starts anew unless given. */
  readonly from?: CellCheckpoint.CellCheckpoint
  /** Seconds of work after which a checkpoint is kept; `Distillation.checkpointEvery` unless given. */
  readonly checkpointEvery?: number
  readonly emit: (event: CellEvent) => Effect.Effect<void>
}

const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000

/** The line of a cell's log that an event deserves, if any. */
const logged = (event: CellEvent): string | undefined => {
  switch (event._tag) {
    case "Measuring":
      return `measuring ${event.measure}`
    case "CurvePoint": {
      const { step, discrepancy, parameters } = event.point
      return `step ${step}: discrepancy ${discrepancy.toFixed(4)} nats, ${parameters} parameters`
    }
    case "Distilled":
      return event.event._tag === "Started" ? `started with ${event.event.parameters} parameters` : undefined
  }
}

/** A measure that is no number. */
class Unusable extends Data.TaggedError("Unusable")<{ readonly message: string }> {}

interface Values {
  readonly values: { readonly [id: string]: number }
  readonly diverged?: string
}

/** What has been taken of a student before, and what to do with what is taken. */
interface Taking {
  readonly before: Values["values"]
  readonly keep: Distillation.Distilled["keep"]
}

/** Takes measures of a student that have not been taken before; one that is not finite ends the cell as divergence does. */
const take = (
  measures: ReadonlyArray<Measure.Measure>,
  context: Measure.MeasureContext,
  emit: (event: CellEvent) => Effect.Effect<void>,
  { before, keep }: Taking = { before: {}, keep: () => Effect.void }
) =>
  Effect.suspend(() => {
    let values = before
    const isTaken = ({ columns }: Measure.Measure) => columns.length > 0 && columns.every(({ id }) => id in values)
    const takeOne = (measure: Measure.Measure) =>
      Effect.gen(function* () {
        if (isTaken(measure)) return
        yield* emit({ _tag: "Measuring", measure: measure.columns[0]?.name ?? measure.spec.name })
        const taken = yield* measure.run(context)
        const wrong = Object.entries(taken).find(([, value]) => !Number.isFinite(value))
        if (wrong !== undefined) return yield* new Unusable({ message: `${wrong[0]} became ${wrong[1]}` })
        values = { ...values, ...taken }
        yield* keep(values)
      })
    return Effect.forEach(Measure.single(measures), takeOne, { discard: true }).pipe(
      Effect.onInterrupt(() => (values === before ? Effect.void : Effect.ignore(keep(values, true)))),
      Effect.map((): Values => ({ values })),
      Effect.catchTag(["NotFinite", "Unusable"], ({ message }) =>
        Effect.succeed<Values>({ values: {}, diverged: message })
      )
    )
  })

/** The teacher of trials that have seed and batches in common, with all that their losses tap of it. */
export const teacherOf = (
  trials: Arr.NonEmptyReadonlyArray<Distillation.Trial>,
  { teacher, dataset }: Pick<Laboratory, "teacher" | "dataset">
): SharedTeacher.SharedTeacherOptions => {
  const [{ plan, seed }] = trials
  const { rows, length, maskRate } = plan.training
  return {
    teacher,
    taps: [...new Set(trials.flatMap((trial) => teacherTaps(trial.plan.loss)))],
    seed: Seed.make(seed),
    batch: trainingBatches(dataset, { rows, length, maskRate }).masked
  }
}

/** The discrepancy of predictions on a laboratory's curve batch (paper, Fig. 3). */
export const discrepancy =
  ({ curve }: Pick<Laboratory, "curve">): Distillation.Discrepancy =>
  (model) =>
    Effect.map(HeldOut.measure(model, curve), (measures) => measures.discrepancy)

/** A distillation on its own, outside of an experiment. */
export interface SingleRun
  extends
    Distillation.Trial,
    Pick<Distillation.DistillationOptions, "points" | "discrepancy" | "checkpointEvery" | "from"> {
  /** Where checkpoints and metrics go; nowhere unless given. */
  readonly claim?: Claim
}

/** Distils, and follows the discrepancy to the teacher at `points` steps besides the start; from a checkpoint where one is given, as `beginning` gives it. */
export const distil = (
  { plan, seed, claim = unkept, ...rest }: SingleRun,
  laboratory: Pick<Laboratory, "teacher" | "dataset">,
  emit: (event: CellEvent) => Effect.Effect<void>
): Effect.Effect<Distillation.Distilled, CellFailure, Backend> =>
  Effect.gen(function* () {
    const share = yield* SharedTeacher.alone(teacherOf([{ plan, seed }], laboratory))
    return yield* Distillation.run(share, { ...rest, plan, emit, claim })
  }).pipe(Effect.scoped)

/** The checkpoint a claim's cell goes on from; where it cannot be read, as one of another version, the cell starts over. */
export const beginning = ({
  checkpoint,
  restart
}: Claim): Effect.Effect<CellCheckpoint.CellCheckpoint | undefined, StoreError | OutputError> =>
  checkpoint === undefined
    ? Effect.undefined
    : CellCheckpoint.decode(checkpoint).pipe(
        Effect.catch((error) => Effect.as(restart(`the checkpoint cannot be read: ${error.message}`), undefined))
      )

/**
 * Runs one cell: distils, follows the discrepancy to the teacher, then takes the measures, and keeps the result. `share` is of the teacher
 * that `teacherOf` describes, for this cell alone or for several; the numbers are the same.
 *
 * It goes on from a checkpoint where there is one, and keeps one from time to time and when it is interrupted; the result is that of a run that
 * never stopped. A run that diverges gives a cell that says so, with the curve up to there.
 */
export const runWith = (
  share: SharedTeacher.Share,
  cell: Cell.CellSpec,
  { laboratory, machine, claim = unkept, from, checkpointEvery, emit }: CellContext
): Effect.Effect<Cell.CellResult, CellFailure, Backend> =>
  Effect.gen(function* () {
    const { plan, scale, trajectory } = cell
    const told = (event: CellEvent) => {
      const line = logged(event)
      return line === undefined ? emit(event) : Effect.andThen(claim.log(line), emit(event))
    }
    const { dataset, test: heldOut } = laboratory
    const seed = Seed.make(cell.seed)
    const context = (model: Model.Model, curve: ReadonlyArray<Cell.Point>): Measure.MeasureContext => ({
      model,
      dataset,
      heldOut,
      curve,
      seed,
      small: scale.small
    })
    const run = yield* Distillation.run(share, {
      plan,
      points: scale.points,
      discrepancy: discrepancy(laboratory),
      emit: told,
      claim,
      ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
      ...(from === undefined ? {} : { from }),
      ...(trajectory === undefined
        ? {}
        : {
            trajectory: {
              points: trajectory.points,
              take: (model: Model.Model, curve: ReadonlyArray<Cell.Point>) =>
                take(trajectory.measure, context(model, curve), told)
            }
          })
    })
    const { student, curve, path, trajectory: checked } = run
    const measured: Values =
      student === undefined
        ? { values: {} }
        : yield* take(cell.measures, context(student, curve), told, { before: from?.measures ?? {}, keep: run.keep })
    const diverged = run.diverged?.message ?? measured.diverged
    const now = yield* Clock.currentTimeMillis
    const result: Cell.CellResult = {
      key: Cell.key(cell),
      spec: Cell.describe(cell),
      ...(diverged === undefined ? {} : { diverged }),
      measures: measured.values,
      curve,
      path,
      trajectory: checked,
      provenance: {
        ...machine,
        seconds: seconds((from?.spent ?? 0) + (yield* share.spent)),
        trainSeconds: seconds(run.spent - run.measuring),
        finished: DateTime.formatIso(DateTime.makeUnsafe(now)),
        resumed: from === undefined ? 0 : from.resumed + 1
      }
    }
    yield* claim.finish(result)
    yield* claim.log(
      `finished after ${result.provenance.seconds} s of work${diverged === undefined ? "" : `: ${diverged}`}`
    )
    return result
  })

/** Runs one cell with a teacher of its own, from its claim's checkpoint if it has one. */
export const run = (
  cell: Cell.CellSpec,
  context: Omit<CellContext, "from">
): Effect.Effect<Cell.CellResult, CellFailure, Backend> =>
  Effect.gen(function* () {
    const from = yield* beginning(context.claim ?? unkept)
    const share = yield* SharedTeacher.alone(teacherOf([cell], context.laboratory))
    return yield* runWith(share, cell, { ...context, ...(from === undefined ? {} : { from }) })
  }).pipe(Effect.scoped)
