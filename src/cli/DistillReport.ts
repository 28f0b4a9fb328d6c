import { DistillPlan, StudentStep } from "../distill/index.ts"
import { type HeldOut, Measure, type Similarity } from "../evaluate/index.ts"
import { CellCost, CellWork, ProcessMemory, RunPlan, Scale } from "../experiment/index.ts"
import { Axis, BertConfig, Flops, Model, Parameters } from "../model/index.ts"
import { Spec } from "../spec/index.ts"
import * as StudentSize from "./StudentSize.ts"
import * as Words from "./Words.ts"
import * as Columns from "./runs/Columns.ts"

/** Where single weights go, none of the widths changes, and all but this share of the numbers in matrices become 0. */
const sparse = (config: BertConfig.BertConfig, ratio: number): string => {
  const axes = BertConfig.axes(config)
  const weights = Parameters.count(StudentStep.matrices(config), axes)
  const left = Parameters.count(Parameters.bert(config), axes) - Math.floor(weights * (1 - ratio))
  return `to the same widths, ${Math.round(1000 * ratio) / 10} % of the weights of matrices: ${Words.amount(left)} parameters`
}

/** The shape of the student that is written: masked units are cut in the end. */
export const ending = (plan: DistillPlan.DistillPlan, teacher: BertConfig.BertConfig): BertConfig.BertConfig => {
  const original = BertConfig.axes(teacher)
  const ratio = DistillPlan.ratio(plan).final
  const widths =
    plan.mode.unstructured === true ? new Map() : plan.ranking.widths({ original, current: original, ratio })
  return BertConfig.fromAxes(teacher, Axis.resize(original, widths))
}

/** Pieces of a held-out row. */
const heldOutLength = 64

/**
 * Seconds that a run takes from a step on, where large products run at so many operations a second: its steps with the widths they have, what is
 * measured on the way and at the end, and the teacher's answers on held-out text. Good to a factor of 2.
 */
export const seconds = (
  plan: DistillPlan.DistillPlan,
  teacher: BertConfig.BertConfig,
  { rate, from = 0 }: { readonly rate: number; readonly from?: number }
): number => {
  const { curveRows, testRows } = Scale.micro
  const size = Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher))
  // what is measured, is on rows of their own length
  const held = { ...plan, training: { ...plan.training, length: heldOutLength } }
  const measures = CellCost.of(held, teacher, { scale: Scale.micro, measures: [Measure.heldOut()] })
  const alone = CellCost.of(plan, teacher)
  const stretches = alone.stretches.map((stretch, i) => ({
    ...stretch,
    measured: measures.stretches[i]?.measured ?? 0
  }))
  const cost = { ...alone, stretches, end: measures.end }
  // it answers once for the student, and once more for the table in which it stands itself
  const answers = Flops.forward(teacher, CellCost.heldOut(held, curveRows + 2 * testRows)) / CellWork.share(size)
  const works = CellWork.of([cost], size)
  return works.reduce((sum, work) => sum + work.total - CellWork.done(work, from), answers) / rate
}

/** The line that says how long the run will take. */
export const ahead = (seconds: number, from = 0): string =>
  `about ${RunPlan.time(seconds)} here${from === 0 ? "" : ` from step ${from} on`}, good to a factor of 2\n`

/** What is about to happen: the components, teacher and student side by side, the length of the run, its operations and memory. */
export const outline = (plan: DistillPlan.DistillPlan, teacher: BertConfig.BertConfig): string => {
  const { steps, rows, length } = plan.training
  const components = [plan.scorer, plan.ratio, plan.ranking, plan.mode].map(({ spec }) => Spec.describe(spec))
  const cost = CellCost.of(plan, teacher)
  const memory = ProcessMemory.bytes(ProcessMemory.of([cost], teacher, Scale.micro))
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return [
    `${components.join(", ")}, loss ${plan.loss.terms.join(" + ")}`,
    ...(plan.mode.unstructured === true
      ? [sparse(teacher, DistillPlan.ratio(plan).final)]
      : StudentSize.outline(teacher, ending(plan, teacher), length)),
    `${steps} steps of ${rows} × ${length} pieces: ${Words.amount(cost.student + cost.teacher)} FLOPs, about ${gibibytes(memory)} of memory`,
    ""
  ].join("\n")
}

/** What is measured of a model on held-out text: its predictions, or how alike its states are to a teacher's where there are none. */
export type Measured = HeldOut.HeldOutMeasures | Similarity.SimilarityMeasures

/** A model as the end of a run shows it. */
export interface Compared {
  readonly name: string
  readonly model: Model.Model
  readonly measures: Measured
  /** Milliseconds for a sequence. */
  readonly latency: number
}

const megabytes = (model: Model.Model): string =>
  `${((4 * Parameters.count(Parameters.bert(model.config), BertConfig.axes(model.config))) / 1e6).toFixed(1)} MB`

/** A row of the comparison. */
interface Row {
  readonly name: string
  readonly teacher: string
  readonly student: string
}

/** Teacher and student side by side: size, time for a sequence of `length` pieces beside the operations it takes, and how well they predict, or how alike their states are. */
export const comparison = (teacher: Compared, student: Compared, length: number): ReadonlyArray<Row> => {
  const flops = ({ model: { config } }: Compared) =>
    Flops.forward(config, { rows: 1, length: Math.min(length, config.positions), masked: 0 })
  const row = (name: string, of: (model: Compared) => string): Row => ({
    name,
    teacher: of(teacher),
    student: of(student)
  })
  const times = (factor: number) => `${factor.toFixed(2)}x`
  return [
    row("parameters", ({ model }) => Words.amount(Model.size(model))),
    row("size on disk", ({ model }) => megabytes(model)),
    row(`time for ${length} pieces`, ({ latency }) => `${latency.toFixed(2)} ms`),
    row("speed-up, measured", ({ latency }) => times(teacher.latency / latency)),
    row("speed-up by FLOPs", (model) => times(flops(teacher) / flops(model))),
    ...measured(teacher.measures, student.measures)
  ]
}

/** The rows of measures that both have. */
const measured = (teacher: Measured, student: Measured): ReadonlyArray<Row> => {
  if ("loss" in teacher && "loss" in student) {
    const row = (name: string, of: (measures: HeldOut.HeldOutMeasures) => string): Row => ({
      name,
      teacher: of(teacher),
      student: of(student)
    })
    return [
      row("masked-LM loss", ({ loss }) => `${loss.toFixed(3)} nats`),
      row("masked-LM accuracy", ({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`),
      row("discrepancy to the teacher", ({ discrepancy }) => `${discrepancy.toFixed(3)} nats`)
    ]
  }
  if ("loss" in teacher || "loss" in student) return []
  const row = (
    name: string,
    of: (measures: Similarity.SimilarityMeasures) => number | undefined
  ): ReadonlyArray<Row> => {
    const [whole, part] = [of(teacher), of(student)]
    return whole === undefined || part === undefined
      ? []
      : [{ name, teacher: whole.toFixed(3), student: part.toFixed(3) }]
  }
  return [
    ...row("hidden states: CKA to the teacher's", ({ states }) => states),
    ...row("similarities of texts: correlation", ({ sentences }) => sentences),
    // of another width they cannot be laid side by side
    ...row("embeddings of texts: cosine", ({ cosine }) => cosine)
  ]
}

/** The comparison as lines. */
export const lines = (rows: ReturnType<typeof comparison>): string =>
  [
    ...Columns.lines(
      [{ name: "" }, { name: "teacher", side: "right" }, { name: "student", side: "right" }],
      rows.map(({ name, teacher, student }) => [name, teacher, student])
    ),
    ""
  ].join("\n")
