import { type DistillPlan, StudentStep } from "../distill/index.ts"
import type { HeldOut } from "../evaluate/index.ts"
import { CellCost, ProcessMemory, Scale } from "../experiment/index.ts"
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
  const ratio = plan.ratio.over(plan.training.steps).final
  const widths =
    plan.mode.unstructured === true ? new Map() : plan.ranking.widths({ original, current: original, ratio })
  return BertConfig.fromAxes(teacher, Axis.resize(original, widths))
}

/** What is about to happen: the components, teacher and student side by side, the length of the run, its operations and memory. */
export const outline = (plan: DistillPlan.DistillPlan, teacher: BertConfig.BertConfig): string => {
  const { steps, rows, length } = plan.training
  const components = [plan.scorer, plan.ratio, plan.ranking, plan.mode].map(({ spec }) => Spec.describe(spec))
  const cost = CellCost.of(plan, teacher)
  const memory = ProcessMemory.bytes(ProcessMemory.of([cost], teacher, Scale.micro))
  const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return [
    components.join(", "),
    ...(plan.mode.unstructured === true
      ? [sparse(teacher, plan.ratio.over(steps).final)]
      : StudentSize.outline(teacher, ending(plan, teacher), length)),
    `${steps} steps of ${rows} × ${length} pieces: ${Words.amount(cost.student + cost.teacher)} FLOPs, about ${gibibytes(memory)} of memory`,
    ""
  ].join("\n")
}

/** A model as the end of a run shows it. */
export interface Compared {
  readonly name: string
  readonly model: Model.Model
  readonly measures: HeldOut.HeldOutMeasures
  /** Milliseconds for a sequence. */
  readonly latency: number
}

const megabytes = (model: Model.Model): string =>
  `${((4 * Parameters.count(Parameters.bert(model.config), BertConfig.axes(model.config))) / 1e6).toFixed(1)} MB`

/** Teacher and student side by side: size, time for a sequence of `length` pieces beside the operations it takes, and how well they predict. */
export const comparison = (
  teacher: Compared,
  student: Compared,
  length: number
): ReadonlyArray<{ readonly name: string; readonly teacher: string; readonly student: string }> => {
  const flops = ({ model: { config } }: Compared) =>
    Flops.forward(config, { rows: 1, length: Math.min(length, config.positions), masked: 0 })
  const row = (name: string, of: (model: Compared) => string) => ({ name, teacher: of(teacher), student: of(student) })
  const times = (factor: number) => `${factor.toFixed(2)}x`
  return [
    row("parameters", ({ model }) => Words.amount(Model.size(model))),
    row("size on disk", ({ model }) => megabytes(model)),
    row(`time for ${length} pieces`, ({ latency }) => `${latency.toFixed(2)} ms`),
    row("speed-up, measured", ({ latency }) => times(teacher.latency / latency)),
    row("speed-up by FLOPs", (model) => times(flops(teacher) / flops(model))),
    row("masked-LM loss", ({ measures }) => `${measures.loss.toFixed(3)} nats`),
    row("masked-LM accuracy", ({ measures }) => `${(100 * measures.accuracy).toFixed(1)} %`),
    row("discrepancy to the teacher", ({ measures }) => `${measures.discrepancy.toFixed(3)} nats`)
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
