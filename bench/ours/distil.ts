import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type DistillEvent, Distiller, DistillPlan, LearningRate, SharedTeacher, StudentInit } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import type { Model } from "homodistil/model"
import { RemainingRatio } from "homodistil/pruning"
import { Schedule } from "homodistil/schedule"
import { Seed, Spec } from "homodistil/spec"
import * as Job from "../Job.ts"
import { measured } from "../Prepare.ts"
import { mean } from "../Spread.ts"
import { type Given, stepping } from "./Serve.ts"

/** More steps than anyone measures: the stream must not end. */
const endless = 100_000

/** The student of the job's files, at the size it has there. */
const given = (student: () => Model.Model): StudentInit.StudentInit => ({
  spec: Spec.make("given"),
  final: true,
  shape: () => student().config,
  make: student
})

/** One learning rate for all steps. */
const constantRate = (rate: number): LearningRate.LearningRate => ({
  spec: Spec.make("constant", { options: { rate } }),
  over: () => Schedule.constant(rate)
})

/** Case b: a distillation step at one width, pulled from the stream one by one. */
export const distil = ({ job, folder }: Given) =>
  Effect.gen(function* () {
    const { rows, length } = job
    const batchOf = Job.batchesOf(folder, job)
    const plan = yield* DistillPlan.resolve.pipe(
      Effect.provide(
        Layer.mergeAll(
          measured({ steps: endless, rows, length }),
          RemainingRatio.layer(RemainingRatio.constant()),
          LearningRate.layer(constantRate(job.learningRates.at(-1) ?? 0)),
          StudentInit.layer(given(() => Job.model(folder, job, "student")))
        )
      )
    )
    const pull = yield* Distiller.run({
      plan,
      teacher: Job.model(folder, job, "teacher"),
      // of the random numbers, only those of projections that are no identity are drawn
      seed: Seed.make(0),
      batch: (_, step) => batchOf(step),
      snapshotAt: () => false
    }).pipe(Stream.rechunk(1), Stream.toPull)
    const loss: Effect.Effect<number, unknown> = Effect.flatMap(pull, ([event]) =>
      event._tag === "Stepped" ? Effect.succeed(event.total) : loss
    )
    return stepping(() => loss)
  })

const scorers = {
  magnitude: Scorer.magnitude(),
  random: Scorer.random(),
  sensitivity: Scorer.sensitivity(),
  platon: Scorer.platon()
}

const scorerOf = (name: string): Scorer.ImportanceScorer => {
  const found = Object.entries(scorers).find(([key]) => key === name)
  if (found === undefined) throw new RangeError(`there is no scorer ${name}`)
  return found[1]
}

type Stepped = DistillEvent & { readonly _tag: "Stepped" }

/** How many steps at the end the final losses are averaged over. */
const lastSteps = 20

/** What a run ended with: the means of the last steps' losses. */
const finalsOf = (scorer: string, stepped: ReadonlyArray<Stepped>) => {
  const last = stepped.slice(-lastSteps)
  const terms = Object.keys(last[0]?.terms ?? {})
  return Object.fromEntries([
    [`${scorer} total`, mean(last.map(({ total }) => total))],
    ...terms.map((name) => [`${scorer} ${name}`, mean(last.map((step) => step.terms[name] ?? Number.NaN))] as const)
  ])
}

/** What one scorer's run did. */
const runOf = (share: SharedTeacher.Share, { rows, length, steps }: Job.Job, scorer: string) =>
  Effect.gen(function* () {
    const method = measured({ steps, rows, length })
    const plan = yield* DistillPlan.resolve.pipe(Effect.provide(Layer.mergeAll(method, Scorer.layer(scorerOf(scorer)))))
    const stepped: Array<Stepped> = []
    yield* Distiller.runWith(share, { plan, snapshotAt: () => false }).pipe(
      Stream.runForEach((event) => Effect.sync(() => (event._tag === "Stepped" ? stepped.push(event) : 0)))
    )
    return { losses: stepped.map(({ total }) => total), finals: finalsOf(scorer, stepped) }
  })

/** Cases c and e: whole distillations with pruning; a request names the scorers, whose students share one teacher in lock-step. */
export const run = ({ job, folder }: Given) =>
  Effect.sync(() => {
    const batchOf = Job.batchesOf(folder, job)
    const shared: SharedTeacher.SharedTeacherOptions = {
      teacher: Job.model(folder, job, "teacher"),
      taps: Loss.homoDistil().taps,
      seed: Seed.make(0),
      batch: (_, step) => batchOf(step)
    }
    return ({ what }: Job.Request) =>
      Effect.gen(function* () {
        const begin = performance.now()
        const ended = yield* SharedTeacher.together(
          shared,
          what.split("+").map((scorer) => (share: SharedTeacher.Share) => runOf(share, job, scorer))
        )
        const runs = yield* Effect.all(ended)
        return {
          ms: [performance.now() - begin],
          losses: runs.at(-1)?.losses ?? [],
          finals: Object.fromEntries(runs.flatMap(({ finals }) => Object.entries(finals)))
        }
      })
  })
