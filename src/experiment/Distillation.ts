import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import {
  type DistillEvent,
  Distiller,
  type DistillPlan,
  Diverged,
  type SharedTeacher,
  StepState
} from "../distill/index.ts"
import { Model } from "../model/index.ts"
import type { JsonObject, OutputError } from "../spec/index.ts"
import type * as Cell from "./Cell.ts"
import * as CellCheckpoint from "./CellCheckpoint.ts"
import type { CellEvent, CellFailure } from "./CellEvent.ts"
import type { Claim, StoreError } from "./RunStore.ts"

/** A method and the seed it is run with. */
export interface Trial {
  readonly plan: DistillPlan.DistillPlan
  readonly seed: number
}

/** What is done on the way at some steps, besides the discrepancy. */
interface Trajectory {
  readonly points: number
  readonly take: (
    model: Model.Model,
    curve: ReadonlyArray<Cell.Point>
  ) => Effect.Effect<
    { readonly values: { readonly [id: string]: number }; readonly diverged?: string },
    CellFailure,
    Backend
  >
}

/** A distance of a student to the teacher that it has. */
export type Discrepancy = (model: Model.Model) => Effect.Effect<number, CompileError | ExecutionError, Backend>

/** How a distillation is followed. */
export interface DistillationOptions {
  readonly plan: DistillPlan.DistillPlan
  /** Points of the discrepancy curve besides the start. */
  readonly points: number
  /** How far a student is from its teacher on held-out text, 0 where it equals it: what the curve follows. */
  readonly discrepancy: Discrepancy
  readonly trajectory?: Trajectory
  readonly claim: Claim
  /** Seconds of work after which a checkpoint is kept, besides that of the end; as `patience` says unless given. */
  readonly checkpointEvery?: number
  /** Where it goes on from; the start unless given. */
  readonly from?: CellCheckpoint.CellCheckpoint
  readonly emit: (event: CellEvent) => Effect.Effect<void>
}

/** A distillation that is over, and what was seen of it on the way. */
export interface Distilled {
  /** The student; none when the run diverged. */
  readonly student?: Model.Model
  readonly diverged?: Diverged
  /** The discrepancy to the teacher, as far as the run came. */
  readonly curve: ReadonlyArray<Cell.Point>
  readonly path: ReadonlyArray<Cell.Shape>
  readonly trajectory: ReadonlyArray<Cell.Checked>
  /** Milliseconds of its own work, and those of them spent on measuring. */
  readonly spent: number
  readonly measuring: number
  /** Keeps what has been measured of the student since in its checkpoint: when one is due, or `now`. */
  readonly keep: (
    measures: CellCheckpoint.CellCheckpoint["measures"],
    now?: boolean
  ) => Effect.Effect<void, StoreError | OutputError>
}

/** The steps at which something is measured: `points` of them, evenly, and the start. */
export const isPoint = (steps: number, points: number) => {
  const every = Math.max(1, Math.floor(steps / points))
  return (done: number): boolean => done % every === 0
}

/** Seconds of work after which a checkpoint is kept, unless given, where keeping one takes less than a fifth of a second. */
export const checkpointEvery = 20

/**
 * Milliseconds from one checkpoint to the next, when the last one took so many to keep: as many seconds as were asked for, or `checkpointEvery`
 * and a hundred times what it took. A checkpoint of MiniLM is 450 MB, and several cells may run side by side.
 *
 * @example
 * ```ts
 * import { Distillation } from "homodistil/experiment"
 * assert.deepEqual([50, 3000].map((took) => Distillation.patience(undefined, took)), [20_000, 300_000])
 * assert.equal(Distillation.patience(0, 3000), 0)
 * ```
 */
export const patience = (asked: number | undefined, took: number): number =>
  asked === undefined ? Math.max(1000 * checkpointEvery, 100 * took) : 1000 * asked

/** A state that no step is taken from any more: its weights, without what only training needs. */
const atRest = (state: StepState.StepState): StepState.StepState => ({
  ...state,
  train: { params: state.train.params, moments: {}, slots: {} }
})

/** What of an event goes into the metrics. */
const metrics = (event: DistillEvent): JsonObject | undefined => {
  switch (event._tag) {
    case "Stepped": {
      const { step, learningRate, total, terms } = event
      // what is no number ends the run, and is told there
      return Number.isFinite(total) ? { event: "step", step, learningRate, total, terms } : undefined
    }
    case "Pruned": {
      const { step, ratio, widths, parameters } = event
      return { event: "pruning", step, ratio, widths, parameters }
    }
    case "Started":
    case "Snapshot":
      return undefined
  }
}

/**
 * Distils, and follows the discrepancy to the teacher, the widths, and what else is asked for; keeps metrics and checkpoints.
 *
 * Interrupted, it keeps its state; going on from there gives what a run gives that never stopped.
 */
export const run = (
  share: SharedTeacher.Share,
  o: DistillationOptions
): Effect.Effect<Distilled, CellFailure, Backend> =>
  Effect.gen(function* () {
    const { plan, claim, emit, from } = o
    const { steps } = plan.training
    const isCurvePoint = isPoint(steps, o.points)
    const isChecked = (done: number): boolean =>
      o.trajectory !== undefined && done < steps && isPoint(steps, o.trajectory.points)(done)

    const curve: Array<Cell.Point> = [...(from?.curve ?? [])]
    const path: Array<Cell.Shape> = [...(from?.path ?? [])]
    const trajectory: Array<Cell.Checked> = [...(from?.trajectory ?? [])]
    const resumed = from === undefined ? 0 : from.resumed + 1
    let measuring = from?.measuring ?? 0
    let ended: { readonly state: StepState.StepState; readonly student: Model.Model } | undefined
    const spent = Effect.map(share.spent, (own) => own + (from?.spent ?? 0))

    const handled = new WeakSet<DistillEvent>()
    let saved = yield* Clock.currentTimeMillis
    let took = 0
    let wanted = false

    const due = Effect.map(Clock.currentTimeMillis, (now) => now - saved >= patience(o.checkpointEvery, took))

    const save = (state: StepState.StepState, measures: CellCheckpoint.CellCheckpoint["measures"] = {}) =>
      Effect.gen(function* () {
        const began = yield* Clock.currentTimeMillis
        const seen = { curve, path, trajectory, measures, spent: yield* spent, measuring, resumed }
        const bytes = CellCheckpoint.encode({ state, ...seen })
        yield* claim.save(state.step, bytes)
        saved = yield* Clock.currentTimeMillis
        took = saved - began
        wanted = false
      })

    /** Writes an event down; a snapshot's measures are taken elsewhere. */
    const note = (event: DistillEvent) =>
      Effect.gen(function* () {
        if ((event._tag === "Started" && path.length === 0) || event._tag === "Pruned") {
          const { widths, parameters } = event
          path.push({ step: event._tag === "Started" ? 0 : event.step, widths, parameters })
        }
        const entry = metrics(event)
        if (entry !== undefined) yield* claim.record(entry)
        handled.add(event)
      })

    /** Takes what is measured at a state's step, unless it has been taken already. */
    const look = (state: StepState.StepState) =>
      Effect.gen(function* () {
        const { step } = state
        const model = StepState.model(state)
        if (step === steps) ended = { state: atRest(state), student: model }
        const before = yield* share.spent
        const parameters = Model.size(model)
        if ((isCurvePoint(step) || step === steps) && curve.at(-1)?.step !== step) {
          const discrepancy = yield* o.discrepancy(model)
          if (!Number.isFinite(discrepancy)) return yield* new Diverged({ step, loss: String(discrepancy) })
          const point = { step, discrepancy, parameters }
          curve.push(point)
          yield* claim.record({ event: "discrepancy", ...point })
          yield* emit({ _tag: "CurvePoint", point })
        }
        if (o.trajectory !== undefined && isChecked(step) && trajectory.at(-1)?.step !== step) {
          const { values, diverged } = yield* o.trajectory.take(model, curve)
          if (diverged !== undefined) return yield* new Diverged({ step, loss: diverged })
          const checked = { step, parameters, measures: values }
          trajectory.push(checked)
          yield* claim.record({ event: "measures", ...checked })
        }
        measuring += (yield* share.spent) - before
      })

    const onEvent = (event: DistillEvent) =>
      Effect.gen(function* () {
        yield* emit({ _tag: "Distilled", event })
        yield* note(event)
        if (event._tag === "Stepped" && (yield* due)) wanted = true
        if (event._tag !== "Snapshot") return
        yield* look(event.state)
        if (wanted || event.last) yield* save(ended?.state ?? event.state)
      })

    /** What was done but not yet told belongs to the state; what is still to be measured of it, is when it goes on. */
    const onInterrupt = (state: StepState.StepState, latest: ReadonlyArray<DistillEvent>) =>
      Effect.forEach(latest, (event) => (handled.has(event) ? Effect.void : note(event)), { discard: true }).pipe(
        Effect.andThen(save(state)),
        Effect.catch((error) => claim.log(`interrupted, and the state could not be kept: ${error.message}`))
      )

    const finish = (diverged: { readonly diverged?: Diverged }) =>
      Effect.map(spent, (spent): Distilled => {
        const last = diverged.diverged === undefined ? ended : undefined
        const keep: Distilled["keep"] = (measures, now = false) =>
          Effect.gen(function* () {
            if (last !== undefined && (now || (yield* due))) yield* save(last.state, measures)
          })
        const made = last === undefined ? {} : { student: last.student }
        return { ...made, ...diverged, curve, path, trajectory, spent, measuring, keep }
      })

    if (from !== undefined) {
      yield* claim.log(`goes on from step ${from.state.step}`)
      // what was due at its step, and was interrupted
      const late = yield* look(from.state).pipe(
        Effect.as({}),
        Effect.catchTag("Diverged", (error) => Effect.succeed({ diverged: error }))
      )
      if ("diverged" in late || from.state.step === steps) return yield* finish(late)
    }
    const diverged = yield* Distiller.runWith(share, {
      plan,
      snapshotAt: (done) => isCurvePoint(done) || isChecked(done) || wanted,
      ...(from === undefined ? {} : { from: from.state }),
      onInterrupt
    }).pipe(
      Stream.runForEach(onEvent),
      Effect.as({}),
      Effect.catchTag("Diverged", (error) => Effect.succeed({ diverged: error }))
    )
    return yield* finish(diverged)
  })
