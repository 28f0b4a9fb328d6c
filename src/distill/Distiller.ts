import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  type TensorSpec,
  transfer
} from "../backend/index.ts"
import { teacherTaps } from "../loss/index.ts"
import { Axis } from "../model/index.ts"
import { TrainStep } from "../optimizer/index.ts"
import { PrunePlan } from "../pruning/index.ts"
import { Seed } from "../spec/index.ts"
import { Diverged } from "./Diverged.ts"
import * as DistillPlan from "./DistillPlan.ts"
import type { DistillEvent, Widths } from "./Event.ts"
import * as Projection from "./Projection.ts"
import { isDue, prune, shrinks } from "./PruningEvent.ts"
import * as SharedTeacher from "./SharedTeacher.ts"
import * as StepState from "./StepState.ts"
import * as StudentStep from "./StudentStep.ts"
import * as Teacher from "./Teacher.ts"

/** What is distilled besides teacher and batches: the method, and what is wanted of the run. */
export interface StudentInput {
  readonly plan: DistillPlan.DistillPlan
  /** Whether a snapshot is wanted once so many steps are done (0 is the start); the end always gives one. */
  readonly snapshotAt: (done: number) => boolean
  /** Where to go on from; the start unless given. */
  readonly from?: StepState.StepState
  /**
   * Is given the state when the run is interrupted, so that it can go on from there, and the events of the last step, which may or may not
   * have come through.
   */
  readonly onInterrupt?: (state: StepState.StepState, latest: ReadonlyArray<DistillEvent>) => Effect.Effect<void>
}

/** What a distillation is run on. */
export type DistillInput = StudentInput & Omit<SharedTeacher.SharedTeacherOptions, "taps">

/** What can end a distillation early. */
export type DistillFailure = CompileError | ExecutionError | Diverged

/** The state before the first step: the student as its initialiser makes it, projections, zero moments and slots. */
export const start = ({
  plan,
  teacher,
  seed
}: Pick<DistillInput, "plan" | "teacher" | "seed">): StepState.StepState => {
  const ratio = DistillPlan.ratio(plan)
  const student = plan.student.make({ teacher, ranking: plan.ranking, finalRatio: ratio.final, seed })
  const projections = Projection.specs(plan.projection, plan.loss.taps, student.config.layers)
  const params = {
    ...student.parameters,
    ...Projection.initialise(
      plan.projection,
      projections,
      student.config.hidden,
      teacher.config.hidden,
      Seed.child(seed, "projection")
    )
  }
  const observer = StudentStep.observer(plan, student.config)
  return {
    step: 0,
    config: student.config,
    kept: PrunePlan.identity,
    masked: plan.mode.masked,
    train: TrainStep.start(params, plan.optimizer, observer)
  }
}

const widths = (state: StepState.StepState): Widths =>
  Object.fromEntries(Axis.prunable(StepState.axes(state)).map(({ id, size }) => [id, size]))

/** Random scores are drawn on the host. */
const noise = (): never => {
  throw new RangeError("a sweep draws no numbers")
}

/** A state on the device: its live tensors, and the compiled step of its shapes in a scope of its own. */
interface Live {
  readonly host: Omit<StepState.StepState, "train">
  readonly train: TrainStep.LiveState
  readonly masks: StudentStep.StepInputs<DeviceTensor>["masks"]
  readonly step: TrainStep.TrainStep<StudentStep.StepInputs<TensorSpec>>
  readonly session: Scope.Closeable
}

/**
 * Distils and prunes, as a stream of events: the paper's method as a state machine.
 *
 * Each step is one native call; state visits the host only at pruning events and snapshots. Sessions and tensors end with the
 * stream. Going on from a snapshot's state gives the events and the bytes of a run that never stopped.
 */
export const run = (input: DistillInput): Stream.Stream<DistillEvent, DistillFailure, Backend> =>
  Stream.unwrap(
    Effect.map(SharedTeacher.alone({ ...input, taps: teacherTaps(input.plan.loss) }), (share) => runWith(share, input))
  )

/** `run` with a share of a teacher that others may learn from at the same time: the same events, to the byte. */
export const runWith = (
  share: SharedTeacher.Share,
  input: StudentInput
): Stream.Stream<DistillEvent, DistillFailure, Backend> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { plan } = input
      const { teacher, seed, shape } = share
      const backend = yield* Backend
      const { steps } = plan.training
      const ratio = DistillPlan.ratio(plan)
      const learningRate = DistillPlan.learningRate(plan)

      let current: Live | undefined
      let latest: ReadonlyArray<DistillEvent> = []
      const release = Effect.suspend(() =>
        current === undefined
          ? Effect.void
          : transfer
              .release(backend, [current.train, current.masks])
              .pipe(Effect.andThen(Scope.close(current.session, Exit.void)))
      )
      yield* Effect.addFinalizer((exit) => {
        const { onInterrupt } = input
        const interrupted = Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
        return onInterrupt === undefined || current === undefined || !interrupted
          ? release
          : snapshot(current).pipe(
              Effect.flatMap((state) => onInterrupt(state, latest)),
              Effect.ensuring(release)
            )
      })

      /** Puts a state on the device; its step is compiled unless the shapes are those of a step there is. */
      const enter = (state: StepState.StepState, reuse?: Live) =>
        Effect.gen(function* () {
          const session = reuse?.session ?? (yield* Scope.make())
          const step =
            reuse?.step ??
            (yield* StudentStep.compile(plan, state, teacher.config, shape).pipe(
              Effect.provideService(Scope.Scope, session),
              Effect.provideService(Backend, backend),
              Effect.onError(() => Scope.close(session, Exit.void))
            ))
          const { train, ...host } = state
          const masks = yield* transfer.upload(backend, StudentStep.masks(state))
          const live: Live = { host, train: yield* step.enter(train), masks, step, session }
          current = live
          return live
          // what has been put there must be known before anything can end the run
        }).pipe(Effect.uninterruptible)

      const snapshot = ({ host, train, step }: Live): Effect.Effect<StepState.StepState> =>
        Effect.map(step.leave(train), (values) => ({ ...host, train: values }))

      const train = (live: Live, done: number) =>
        Effect.gen(function* () {
          const rate = learningRate.at(done)
          const out = yield* share.at(done, ({ outputs, ...batch }) =>
            Effect.acquireUseRelease(
              transfer.upload(backend, StudentStep.dropout(plan, StepState.config(live.host), seed, done)),
              (dropout) =>
                live.step
                  .run(
                    live.train,
                    { ...batch, teacher: Teacher.only(outputs, teacherTaps(plan.loss)), dropout, masks: live.masks },
                    { step: done, learningRate: rate }
                  )
                  .pipe(
                    Effect.map(({ state, ...rest }) => {
                      const trained: Live = { ...live, host: { ...live.host, step: done + 1 }, train: state }
                      current = trained
                      return { ...rest, trained }
                    })
                  ),
              (dropout) => transfer.release(backend, dropout)
            )
          )
          const { trained } = out
          if (!Number.isFinite(out.total)) return yield* new Diverged({ step: done + 1, loss: String(out.total) })
          const stepped: DistillEvent = {
            _tag: "Stepped",
            step: done + 1,
            learningRate: rate,
            total: out.total,
            terms: out.terms
          }
          return { live: trained, stepped }
        })

      const pruned = (live: Live, done: number) =>
        Effect.gen(function* () {
          // read in place: the live state ends before it changes, and what is left of it is copied
          const before: StepState.StepState = { ...live.host, train: yield* live.step.peek(live.train) }
          const wanted = ratio.at(done)
          const { scorer } = plan
          const weights =
            scorer.elementwise === true
              ? yield* live.step.derive(live.train, (slots, param) => scorer.score(slots, { param, noise }))
              : undefined
          const { state: pruned, plan: chosen, scores } = yield* prune(plan, before, wanted, seed, weights)
          const state = StepState.apartFrom(pruned, before)
          // a step with masks takes any others, and zeroed weights leave every shape as it is
          const reuse = StepState.isSilenced(before) || plan.mode.unstructured === true ? live : undefined
          const next = yield* Effect.gen(function* () {
            current = undefined
            yield* transfer.release(backend, [live.train, live.masks])
            if (reuse === undefined) yield* Scope.close(live.session, Exit.void)
            return yield* enter(state, reuse)
          }).pipe(Effect.uninterruptible)
          const event: DistillEvent = {
            _tag: "Pruned",
            step: done,
            ratio: wanted,
            plan: chosen,
            scores,
            widths: widths(state),
            parameters: StepState.parameters(state),
            nodes: next.step.nodes
          }
          return { live: next, event }
        })

      const advance = (live: Live) =>
        Effect.gen(function* () {
          const { live: trained, stepped } = yield* train(live, live.host.step)
          const done = trained.host.step
          const events: Array<DistillEvent> = [stepped]
          let next: Live = trained
          const due = !plan.student.final && isDue(plan, ratio, done)
          // a masked state's sizes are those of the units kept, so the host part alone tells whether anything shrinks
          if (due && shrinks(plan, { ...trained.host, train: emptyTrain }, ratio.at(done))) {
            const { live: smaller, event } = yield* pruned(trained, done)
            next = smaller
            events.push(event)
          }
          const last = done === steps
          if (last || input.snapshotAt(done)) events.push({ _tag: "Snapshot", state: yield* snapshot(next), last })
          latest = events
          return [events, last ? Option.none<Live>() : Option.some(next)] as const
          // a step and the pruning that is due after it are one: only the wait for the batch can be interrupted
        }).pipe(Effect.uninterruptible)

      const initial = StepState.under(plan.mode, input.from ?? start({ plan, teacher, seed }))
      const live = initial.step < steps ? yield* enter(initial) : undefined
      const last = live === undefined
      const opening: Array<DistillEvent> = [
        {
          _tag: "Started",
          steps,
          widths: widths(initial),
          parameters: StepState.parameters(initial),
          nodes: live?.step.nodes ?? 0
        }
      ]
      if (input.from === undefined && (last || input.snapshotAt(0)))
        opening.push({ _tag: "Snapshot", state: initial, last })
      return Stream.concat(
        Stream.fromIterable(opening),
        live === undefined ? Stream.empty : Stream.paginate<Live, DistillEvent, DistillFailure>(live, advance)
      )
    })
  )

const emptyTrain = { params: {}, moments: {}, slots: {} }
