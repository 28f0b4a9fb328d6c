import { copyFileSync, existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MaskedBatch } from "homodistil/data"
import {
  Distiller,
  DistillPlan,
  LearningRate,
  Method,
  Projection,
  StudentStep,
  type Training
} from "homodistil/distill"
import { Axis, BertConfig, type Model, Parameters } from "homodistil/model"
import { RemainingRatio } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import * as Job from "./Job.ts"
import { randomBatches, randomModel } from "./Materials.ts"
import { configOf, maskedOf, narrowed, type Shape } from "./Shapes.ts"

/** Batches of a job of steps: enough that no cache knows the next one. */
const distinctBatches = 8

/** A learning rate at which random weights neither diverge nor stand still. */
const steadyRate = 1e-4

const teacherSeed = Seed.make("benchmark teacher")
const studentSeed = Seed.make("benchmark student")

const axesOf = (config: BertConfig.BertConfig, teacherWidth: number): Job.Job["axes"] => [
  ...BertConfig.axes(config).values(),
  { id: Axis.teacherHidden, size: teacherWidth, blocks: 1, prunable: false }
]

const shared = ({ rows, length }: Pick<Shape, "rows" | "length">, threads: number) => ({
  threads,
  rows,
  length,
  masked: maskedOf(rows, length),
  batches: distinctBatches,
  steps: 0,
  learningRates: [steadyRate],
  prunings: []
})

/** A model written beside the others of a shape once, then copied: random numbers take a while at a hundred million. */
const randomEntry = (scratch: string, folder: string, name: string, config: BertConfig.BertConfig, seed: Seed.Seed) => {
  const specs = Parameters.bert(config)
  const key = [seed.path, config.layers, config.hidden, config.vocabSize].join("-").replaceAll(/\W+/g, "_")
  const kept = join(scratch, `${key}.bin`)
  const axes = BertConfig.axes(config)
  const entry = {
    config,
    tensors: specs.map((spec) => ({ name: spec.name, axes: spec.axes, shape: Parameters.shape(spec, axes) }))
  }
  if (!existsSync(kept)) Job.writeWeights(scratch, key, entry, randomModel(config, seed).parameters)
  copyFileSync(kept, join(folder, `${name}.bin`))
  return entry
}

/** The matrix products of the machine's peak need no numbers. */
export const product = (folder: string, threads: number): void => {
  mkdirSync(folder, { recursive: true })
  const job = { ...shared({ rows: 1, length: 4 }, threads), kind: "product", batches: 0, models: {}, axes: [] } as const
  Job.write(folder, job, [])
}

/** Case a: a masked-language-model step. */
export const train = (scratch: string, folder: string, shape: Shape, threads: number): void => {
  mkdirSync(folder, { recursive: true })
  const config = configOf(shape)
  const student = randomEntry(scratch, folder, "student", config, teacherSeed)
  const axes = axesOf(config, config.hidden)
  const job = { ...shared(shape, threads), kind: "train", models: { student }, axes } as const
  Job.write(folder, job, randomBatches(shape, distinctBatches))
}

/** The method that is timed: HomoDistil, pruned over the paper's .7 of the run. */
export const measured = (training: Training.TrainingOptions): Method.Method =>
  Layer.mergeAll(
    Method.homoDistil({ training }),
    RemainingRatio.layer(RemainingRatio.cubic({ final: 0.25, end: 0.7 })),
    LearningRate.layer(LearningRate.linearDecay({ peak: 3e-3, warmup: 0.05 }))
  )

const plan = (training: { readonly steps: number; readonly rows: number; readonly length: number }) =>
  Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(measured(training))))

/** A student's weights and projections, as `Distiller.start` makes them under the same seed. */
const withProjections = (of: DistillPlan.DistillPlan, student: Model.Model, teacherWidth: number) => {
  const { layers, hidden } = student.config
  const specs = Projection.specs(of.projection, of.loss.taps, layers)
  const seed = Seed.child(Seed.make(0), "projection")
  return { ...student.parameters, ...Projection.initialise(of.projection, specs, hidden, teacherWidth, seed) }
}

/** Case b: a distillation step with a student of a share of the teacher's width. */
export const distil = (scratch: string, folder: string, shape: Shape, width: number, threads: number): void => {
  mkdirSync(folder, { recursive: true })
  const config = configOf(shape)
  const teacher = randomEntry(scratch, folder, "teacher", config, teacherSeed)
  const small = narrowed(config, width)
  const of = plan({ steps: 1, rows: shape.rows, length: shape.length })
  const values = withProjections(of, randomModel(small, studentSeed), config.hidden)
  const student = Job.weightsOf(small, StudentStep.parameterSpecs(of, small), values)
  Job.writeWeights(folder, "student", student, values)
  const axes = axesOf(small, config.hidden)
  const job = { ...shared(shape, threads), kind: "distil", models: { teacher, student }, axes } as const
  Job.write(folder, job, randomBatches(shape, distinctBatches))
}

/** Case d: a teacher and its students. */
export const infer = (
  scratch: string,
  folder: string,
  shape: Shape,
  batch: { readonly rows: number; readonly length: number },
  students: ReadonlyArray<{ readonly name: string; readonly width: number }>,
  threads: number
): void => {
  mkdirSync(folder, { recursive: true })
  const config = configOf(shape)
  const models = {
    teacher: randomEntry(scratch, folder, "teacher", config, teacherSeed),
    ...Object.fromEntries(
      students.map(({ name, width }) => [
        name,
        randomEntry(scratch, folder, name, narrowed(config, width), studentSeed)
      ])
    )
  }
  const job = { ...shared(batch, threads), kind: "infer", models, axes: axesOf(config, config.hidden) } as const
  Job.write(folder, job, randomBatches({ ...shape, ...batch }, distinctBatches))
}

/** Cases c and e: whole distillations with the teacher as the student's start. */
export const run = (
  folder: string,
  teacher: Model.Model,
  batches: ReadonlyArray<MaskedBatch>,
  steps: number,
  threads: number
): void => {
  mkdirSync(folder, { recursive: true })
  const [first] = batches
  if (first === undefined) throw new RangeError("a run needs batches")
  const { rows, length } = first
  const of = plan({ steps, rows, length })
  const { config } = teacher
  const started = Distiller.start({ plan: of, teacher, seed: Seed.make(0) })
  const student = Job.weightsOf(config, StudentStep.parameterSpecs(of, config), started.train.params)
  Job.writeWeights(folder, "student", student, started.train.params)
  const teacherEntry = Job.weightsOf(config, Parameters.bert(config), teacher.parameters)
  Job.writeWeights(folder, "teacher", teacherEntry, teacher.parameters)
  const ratio = of.ratio.over(steps)
  const rate = of.learningRate.over(steps)
  const due = Array.from({ length: steps }, (_, step) => step + 1).filter(
    (done) => (done % of.training.pruneEvery === 0 && done <= ratio.ends) || done === ratio.ends
  )
  const job = {
    ...shared(first, threads),
    masked: first.positions.length,
    batches: batches.length,
    kind: "run",
    models: { teacher: teacherEntry, student },
    axes: axesOf(config, config.hidden),
    steps,
    learningRates: Array.from({ length: steps }, (_, step) => rate.at(step)),
    prunings: due.map((done) => ({ done, ratio: ratio.at(done) }))
  } as const
  Job.write(folder, job, batches)
}
