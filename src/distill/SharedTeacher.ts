import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  Tensor,
  transfer
} from "../backend/index.ts"
import type { MaskedBatch } from "../data/index.ts"
import type { Tap } from "../loss/index.ts"
import { type Model, Tokens } from "../model/index.ts"
import type { Seed } from "../spec/index.ts"
import * as Teacher from "./Teacher.ts"
import * as Turns from "./Turns.ts"

/** What the students of one teacher have in common. */
export interface SharedTeacherOptions {
  readonly teacher: Model.Model
  /** What the losses of the students tap of it, all together; where that is nothing, it is not run. What else is tapped changes no number. */
  readonly taps: ReadonlyArray<Tap>
  readonly seed: Seed.Seed
  /** The batch of a step, from the run's seed. */
  readonly batch: (seed: Seed.Seed, step: number) => MaskedBatch
}

/** The batch of a step on the device, and what the teacher makes of it. */
export interface TaughtBatch extends Teacher.TeacherInputs<DeviceTensor> {
  readonly labels: DeviceTensor
  readonly outputs: Teacher.TapTree<DeviceTensor>
}

/** What one student has of a teacher. */
export interface Share extends Omit<SharedTeacherOptions, "batch"> {
  readonly shape: Teacher.BatchShape
  /**
   * Uses the batch of a step, which lives no longer than that. It first waits until no other student is further behind, so that the
   * batch and the teacher's outputs are made once for all of them, and only one step's are alive. The wait can be interrupted.
   */
  readonly at: <A, E, R>(
    step: number,
    use: (taught: TaughtBatch) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | ExecutionError, R>
  /**
   * Milliseconds of work so far: those in which the other students worked do not count, and of the teacher's each student counts the
   * same part. Summed over the students, it is the time that passed.
   */
  readonly spent: Effect.Effect<number>
}

/** The outputs that are alive, and who has still to use them. */
interface Lesson {
  readonly step: number
  readonly taught: TaughtBatch
  readonly takers: Set<number>
}

/** A share for each of so many students, and how one of them leaves. */
interface Shares {
  readonly of: (member: number) => Share
  readonly leave: (member: number) => Effect.Effect<void>
  readonly turns: Turns.Turns
}

const make = (
  { batch, ...common }: SharedTeacherOptions,
  members: number
): Effect.Effect<Shares, CompileError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const { teacher, taps, seed } = common
    const began = yield* Clock.currentTimeMillis
    const backend = yield* Backend
    const first = batch(seed, 0)
    const shape: Teacher.BatchShape = { tokens: first, masked: first.positions.length }
    const text = taps.length === 0 ? Teacher.silent : yield* Teacher.compile(teacher, taps, shape)
    const turns = Turns.make(members)

    // the moment from which on a student's time counts; what is not its own moves it forward
    const since = Array.from({ length: members }, () => began)
    const excuse = (member: number, time: number): void => {
      since[member] = (since[member] ?? began) + time
    }
    /** Counts a time that passed for some as equal parts of all that it served. */
    const divide = (time: number, passed: ReadonlyArray<number>, served: ReadonlyArray<number>): void => {
      passed.forEach((member) => excuse(member, time))
      served.forEach((member) => excuse(member, -time / served.length))
    }
    const everyone = since.map((_, member) => member)
    divide((yield* Clock.currentTimeMillis) - began, everyone, everyone)

    let lesson: Lesson | undefined
    let ahead = { step: 0, made: first }
    const drop = Effect.suspend(() => {
      const old = lesson
      lesson = undefined
      return old === undefined ? Effect.void : transfer.release(backend, old.taught)
    }).pipe(Effect.uninterruptible)
    yield* Effect.addFinalizer(() => drop)

    /** Makes the batch and runs the teacher on it, for those who have come to this step. */
    const teach = (step: number, member: number) =>
      Effect.gen(function* () {
        yield* drop
        const before = yield* Clock.currentTimeMillis
        const made = ahead.step === step ? ahead.made : batch(seed, step)
        const inputs = yield* transfer.upload(backend, {
          tokens: Tokens.inputs(made),
          positions: Tensor.of(made.positions),
          labels: Tensor.of(made.labels)
        })
        const { tokens, positions } = inputs
        // while the teacher works on another thread, this one makes the next batch
        const next = Effect.sync(() => {
          ahead = { step: step + 1, made: batch(seed, step + 1) }
        })
        const [outputs] = yield* Effect.all([text.run({ tokens, positions }), next], { concurrency: "unbounded" }).pipe(
          Effect.onError(() => transfer.release(backend, inputs))
        )
        const takers = turns.at(step)
        divide((yield* Clock.currentTimeMillis) - before, [member], takers)
        lesson = { step, taught: { ...inputs, outputs }, takers: new Set(takers) }
        return lesson
      }).pipe(Effect.uninterruptible)

    const taken = (member: number) =>
      Effect.suspend(() => {
        lesson?.takers.delete(member)
        return lesson?.takers.size === 0 ? drop : Effect.void
      })

    /** Waits for one's turn; the time until then is the others'. */
    const wait = (member: number, position: number) =>
      Effect.gen(function* () {
        const asked = yield* Clock.currentTimeMillis
        yield* turns.wait(member, position)
        excuse(member, (yield* Clock.currentTimeMillis) - asked)
      })

    const at =
      (member: number): Share["at"] =>
      (step, use) =>
        Effect.gen(function* () {
          // the only place at which a run can be interrupted, whatever surrounds it
          yield* Effect.interruptible(wait(member, step))
          const { taught } = lesson?.step === step ? lesson : yield* teach(step, member)
          return yield* use(taught)
        }).pipe(Effect.ensuring(taken(member)))

    return {
      of: (member) => ({
        ...common,
        shape,
        at: at(member),
        spent: Effect.map(Clock.currentTimeMillis, (now) => now - (since[member] ?? began))
      }),
      leave: (member) => Effect.andThen(taken(member), turns.leave(member)),
      turns: { ...turns, wait }
    }
  })

/** A teacher with one student, for as long as the scope. */
export const alone = (options: SharedTeacherOptions): Effect.Effect<Share, CompileError, Backend | Scope.Scope> =>
  Effect.map(make(options, 1), (shares) => shares.of(0))

/**
 * Runs programs in lock-step, each with a share of one teacher: one works at a time, and hands over where it asks for the batch of its
 * next step. So each gives what it would have given alone, at the cost of one teacher.
 *
 * One that ends early, or fails, only leaves the others; how each ended is the result. Interrupted, all are.
 */
export const together = <A, E, R>(
  options: SharedTeacherOptions,
  programs: ReadonlyArray<(share: Share) => Effect.Effect<A, E, R>>
): Effect.Effect<ReadonlyArray<Exit.Exit<A, E>>, CompileError, R | Backend> =>
  Effect.gen(function* () {
    const shares = yield* make(options, programs.length)
    return yield* Effect.forEach(
      programs,
      (program, member) =>
        shares.turns
          .wait(member, Turns.before)
          .pipe(
            Effect.andThen(Effect.suspend(() => program(shares.of(member)))),
            Effect.ensuring(shares.leave(member)),
            Effect.exit
          ),
      { concurrency: "unbounded" }
    )
  }).pipe(Effect.scoped)
