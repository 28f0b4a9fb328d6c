import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { Backend, type BackendShape, ExecutionError } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import {
  Distiller,
  type DistillPlan,
  LearningRate,
  Projection,
  PruningMode,
  SharedTeacher,
  StudentInit,
  Training
} from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { batch, events, native, plan, teacher, training } from "./samples.ts"

const seed = Seed.make(0)

const options = (plans: ReadonlyArray<DistillPlan.DistillPlan>): SharedTeacher.SharedTeacherOptions => ({
  teacher,
  seed,
  batch,
  taps: [...new Set(plans.flatMap(({ loss }) => Loss.teacherTaps(loss)))]
})

const snapshotAt = (done: number) => done % 5 === 0

/** The program that gives all events of a run. */
const learn = (each: DistillPlan.DistillPlan) => (share: SharedTeacher.Share) =>
  Stream.runCollect(Distiller.runWith(share, { plan: each, snapshotAt }))

/** All events of each of several runs with one teacher. */
const together = (plans: ReadonlyArray<DistillPlan.DistillPlan>) =>
  SharedTeacher.together(options(plans), plans.map(learn))

const divergent = plan(LearningRate.layer(LearningRate.linearDecay({ peak: 1e30, warmup: 0 })))

const groups: { readonly [name: string]: ReadonlyArray<DistillPlan.DistillPlan> } = {
  scorers: [Scorer.magnitude(), Scorer.random(), Scorer.sensitivity({ window: 3 }), Scorer.platon({ window: 3 })].map(
    (scorer) => plan(Scorer.layer(scorer))
  ),
  "losses that tap different outputs": [
    plan(),
    plan(Loss.layer(Loss.maskedLm())),
    plan(Loss.layer(Loss.kl())),
    plan(Loss.layer(Loss.hidden())),
    plan(Loss.layer(Loss.attention()))
  ],
  "runs of different lengths, modes and beginnings, with dropout": [
    plan(),
    plan(Training.layer(Training.make({ ...training, steps: 5, hiddenDropout: 0.1, attentionDropout: 0.1 }))),
    plan(PruningMode.layer(PruningMode.masked({ regrowth: true }))),
    plan(StudentInit.layer(StudentInit.random))
  ]
}

const stepsOf = (length: number) => Array.from({ length }, (_, step) => step)

/** A backend that counts the runs of texts, by name. */
const counting = (backend: BackendShape) => {
  const runs = new Map<string, number>()
  const counted: BackendShape = {
    ...backend,
    compile: (name, signature, text) =>
      Effect.map(backend.compile(name, signature, text), (compiled) => ({
        ...compiled,
        run: (inputs, into) =>
          Effect.tap(compiled.run(inputs, into), () =>
            Effect.sync(() => void runs.set(name, (runs.get(name) ?? 0) + 1))
          )
      }))
  }
  return { runs, counted }
}

describe("students of one teacher", () => {
  for (const [name, plans] of Object.entries(groups))
    it(`learn what they learn alone, to the byte: ${name}`, async () => {
      const shared = await native(together(plans))
      const alone = await native(Effect.forEach(plans, (each) => events({ plan: each, snapshotAt })))
      assert.deepStrictEqual(
        shared.map(Exit.isSuccess),
        plans.map(() => true)
      )
      assert.deepStrictEqual(
        shared.map((exit) => (Exit.isSuccess(exit) ? exit.value : [])),
        alone
      )
    })

  it("learn what they learn alone, to the byte: from the teacher that comes with homodistil", async () => {
    const { config, parameters } = await Effect.runPromise(
      HuggingFace.read("assets/teacher").pipe(Effect.provide(NodeServices.layer))
    )
    const real = {
      teacher: { config, parameters },
      seed,
      batch: (of: Seed.Seed, step: number) => ({
        ...batch(of, step),
        ids: Seed.integers(Seed.child(of, "ids", step), 40, config.vocabSize),
        labels: Seed.integers(Seed.child(of, "labels", step), 6, config.vocabSize)
      })
    }
    const short = Training.layer(Training.make({ ...training, steps: 3, pruneEvery: 2 }))
    const plans = [
      plan(short, Scorer.layer(Scorer.platon({ window: 2 }))),
      plan(short, Scorer.layer(Scorer.magnitude())),
      plan(short, Loss.layer(Loss.kl()))
    ]
    const shared = await native(SharedTeacher.together({ ...real, taps: options(plans).taps }, plans.map(learn)))
    const alone = await native(
      Effect.forEach(plans, (each) => Stream.runCollect(Distiller.run({ ...real, plan: each, snapshotAt })))
    )
    assert.deepStrictEqual(
      shared.map((exit) => (Exit.isSuccess(exit) ? exit.value : [])),
      alone
    )
    assert.isTrue(alone.every((all) => all.some(({ _tag }) => _tag === "Pruned")))
  })

  it("cost one run of the teacher a step, and one compilation", async () => {
    const plans = groups["scorers"] ?? []
    const runs = await native(
      Effect.gen(function* () {
        const { runs, counted } = counting(yield* Backend)
        yield* together(plans).pipe(Effect.provideService(Backend, counted))
        return runs
      })
    )
    assert.strictEqual(runs.get("teacher forward"), training.steps)
    assert.strictEqual(runs.get("distillation step"), plans.length * training.steps)
  })

  it("need no teacher where no loss looks at one, and end with the bytes that they have under one", async () => {
    const free = [
      plan(Loss.layer(Loss.maskedLm()), Projection.layer(Projection.none)),
      plan(Loss.layer(Loss.maskedLm()), Projection.layer(Projection.none), PruningMode.layer(PruningMode.unstructured)),
      plan(Loss.layer(Loss.scale(0.5, Loss.maskedLm())), StudentInit.layer(StudentInit.random))
    ]
    // a loss that does not say that it never looks at the teacher has one, and does not look at it
    const taught = free.map((each) => ({ ...each, loss: { ...each.loss, teacherFree: false } }))
    assert.deepStrictEqual(
      [free, taught].map((plans) => options(plans).taps),
      [[], ["logits"]]
    )
    const of = (plans: ReadonlyArray<DistillPlan.DistillPlan>) =>
      native(
        Effect.gen(function* () {
          const { runs, counted } = counting(yield* Backend)
          const learned = yield* together(plans).pipe(Effect.provideService(Backend, counted))
          return { runs, learned: learned.map((exit) => (Exit.isSuccess(exit) ? exit.value : [])) }
        })
      )
    const [without, under] = [await of(free), await of(taught)]
    assert.strictEqual(without.runs.get("teacher forward"), undefined)
    assert.strictEqual(under.runs.get("teacher forward"), training.steps)
    assert.deepStrictEqual(without.learned, under.learned)
    for (const all of without.learned) assert.isAbove(all.length, training.steps)
    // beside one that listens to the teacher they are what they are alone
    const mixed = await of([plan(), ...free])
    assert.deepStrictEqual(mixed.learned.slice(1), without.learned)
    assert.strictEqual(mixed.runs.get("teacher forward"), training.steps)
  })

  it("keep one step's outputs alive at a time, and nothing in the end, whoever comes first or leaves", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }), async (lengths) => {
        const shared = { ...options([]), taps: ["logits"] as const }
        const found = await native(
          Effect.gen(function* () {
            const backend = yield* Backend
            const held: Array<number> = []
            const program = (length: number) => (share: SharedTeacher.Share) =>
              Effect.forEach(stepsOf(length), (step) =>
                share.at(step, ({ outputs }) =>
                  Effect.map(backend.live, ({ tensors }) => {
                    held.push(tensors)
                    return outputs.logits["value"]?.id
                  })
                )
              )
            const seen = yield* SharedTeacher.together(shared, lengths.map(program))
            return { held, seen, after: yield* backend.live }
          })
        )
        // besides the weights: ids, positions, labels and the one output
        const expected = Object.keys(teacher.parameters).length + 4
        assert.deepStrictEqual(
          found.held,
          found.held.map(() => expected)
        )
        assert.deepStrictEqual(found.after, { tensors: 0, sessions: 0 })
        const ids = found.seen.map((exit) => (Exit.isSuccess(exit) ? exit.value : []))
        const longest = ids.reduce((a, b) => (b.length > a.length ? b : a))
        assert.deepStrictEqual(
          ids,
          lengths.map((length) => longest.slice(0, length))
        )
      }),
      { numRuns: 10 }
    ))

  it("go on when one of them diverges, fails, dies or is interrupted", async () => {
    const broken = (how: Effect.Effect<never, ExecutionError>) => (share: SharedTeacher.Share) =>
      share.at(0, () => Effect.void).pipe(Effect.andThen(share.at(1, () => how)))
    const { ends, after } = await native(
      Effect.gen(function* () {
        const ends = yield* SharedTeacher.together(options([plan()]), [
          broken(Effect.fail(new ExecutionError({ function: "student", reason: "failed" }))),
          learn(divergent),
          broken(Effect.die("died")),
          learn(plan()),
          broken(Effect.interrupt)
        ])
        return { ends, after: yield* (yield* Backend).live }
      })
    )
    const [failed, diverged, died, learned, interrupted] = ends.map((exit) =>
      Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "learned"
    )
    assert.match(failed ?? "", /failed/)
    assert.match(diverged ?? "", /the loss became \S+ at step \d+/)
    assert.match(died ?? "", /died/)
    assert.strictEqual(learned, "learned")
    assert.isTrue(
      ends[4] !== undefined && Exit.isFailure(ends[4]) && Cause.hasInterruptsOnly(ends[4].cause),
      interrupted
    )
    const [whole] = ends.flatMap((exit) => (Exit.isSuccess(exit) && exit.value !== undefined ? [exit.value] : []))
    assert.deepStrictEqual(whole, await native(events({ plan: plan(), snapshotAt })))
    assert.deepStrictEqual(after, { tensors: 0, sessions: 0 })
  })

  it("leave no tensor and no session behind when all are interrupted, at any event", () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), async (at) => {
        const plans = groups["scorers"] ?? []
        const { after, happened } = await native(
          Effect.gen(function* () {
            let happened = 0
            const reached = yield* Deferred.make<void>()
            const program = (each: DistillPlan.DistillPlan) => (share: SharedTeacher.Share) =>
              Distiller.runWith(share, { plan: each, snapshotAt }).pipe(
                Stream.runForEach(() => (++happened === at ? Deferred.succeed(reached, undefined) : Effect.void))
              )
            const fiber = yield* Effect.forkChild(SharedTeacher.together(options(plans), plans.map(program)))
            yield* Deferred.await(reached)
            yield* Fiber.interrupt(fiber)
            return { happened, after: yield* (yield* Backend).live }
          })
        )
        assert.deepStrictEqual(after, { tensors: 0, sessions: 0 })
        // four times: started, 12 steps, 3 prunings, 4 snapshots
        assert.isBelow(happened, 80)
      }),
      { numRuns: 8 }
    ))

  it("count each its own time, and equal parts of the teacher's", async () => {
    let now = 1000
    const pass = (time: number) => Effect.sync(() => void (now += time))
    // a clock that stands still but for the work that says how long it takes
    const clock: Clock.Clock = {
      currentTimeMillisUnsafe: () => now,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => BigInt(now) * 1_000_000n,
      monotonicTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
      sleep: () => Effect.void
    }
    const shared = {
      ...options([plan()]),
      batch: (of: Seed.Seed, step: number) => {
        now += 12
        return batch(of, step)
      }
    }
    const program = (length: number, work: number) => (share: SharedTeacher.Share) =>
      Effect.andThen(
        Effect.forEach(stepsOf(length), (step) =>
          Effect.andThen(
            share.at(step, () => pass(work)),
            pass(1)
          )
        ),
        share.spent
      )
    const ends = await native(
      SharedTeacher.together(shared, [program(3, 10), program(1, 100), program(2, 1000)]).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
    )
    const spent = ends.map((exit) => (Exit.isSuccess(exit) ? exit.value : Number.NaN))
    // the first batch, then at each step the next one: for three students, for two, and for one
    assert.deepStrictEqual(spent, [33 + 4 + 4 + 6 + 12, 101 + 4 + 4, 2002 + 4 + 4 + 6])
    assert.strictEqual(
      spent.reduce((sum, each) => sum + each),
      now - 1000
    )
  })
})
