import { DistillPlan, PruningEvent, StudentStep } from "../distill/index.ts"
import { Measure } from "../evaluate/index.ts"
import { teacherTaps } from "../loss/index.ts"
import { Axis, BertConfig, Flops, Parameters } from "../model/index.ts"
import { canonical, Spec } from "../spec/index.ts"
import type * as Cell from "./Cell.ts"
import { isPoint } from "./Distillation.ts"

/** Steps of a run, from one on and up to another, in which the student has one shape; a masked student keeps the shape of its start. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly config: BertConfig.BertConfig
  /** Parameters of the student, without its projections. */
  readonly parameters: number
  /** Floating-point operations of a step: student and projections, forward and backward. */
  readonly flops: number
  /** Operations of all that is measured of the student in these steps: the discrepancy, and the measures of a trajectory. */
  readonly measured: number
}

/** What is measured of a cell: in the words of its spec. */
export type Followed = Pick<Cell.CellSpec, "scale" | "measures" | "trajectory">

/** Bytes that are alive in a step at the same time. */
export interface Memory {
  readonly teacher: number
  /** Weights of the student and its projections. */
  readonly weights: number
  readonly gradients: number
  readonly moments: number
  /** What the importance scorer remembers. */
  readonly slots: number
  /** What the forward pass leaves for the backward one, and what the loss taps of the teacher. */
  readonly activations: number
}

/** What a cell costs, as far as it is known before it runs. */
export interface CellCost {
  readonly steps: number
  readonly batch: Flops.Batch
  readonly stretches: ReadonlyArray<Stretch>
  /** Floating-point operations over all steps: the student's, and the teacher's forward passes. */
  readonly student: number
  readonly teacher: number
  /** Operations of all measures: the stretches', and those of the model that the run ends with. */
  readonly measures: number
  readonly end: { readonly parameters: number; readonly flops: number }
  /** At the step that needs most. */
  readonly memory: Memory
}

/** A batch of so many rows: in each this share of its pieces is masked, its two ends aside, and gets logits. */
const batchOf = (rows: number, length: number, maskRate: number): Flops.Batch => ({
  rows,
  length,
  masked: rows * Math.round(maskRate * (length - 2))
})

/** So many held-out rows, which are masked as the dataset is. */
export const heldOut = ({ training: { length, maskRate } }: DistillPlan.DistillPlan, rows: number): Flops.Batch =>
  batchOf(rows, length, maskRate)

/** The batch without masked places where nobody asks for logits. */
const asked = (plan: DistillPlan.DistillPlan, batch: Flops.Batch): Flops.Batch =>
  plan.loss.taps.includes("logits") ? batch : { ...batch, masked: 0 }

/** How often states are brought to the teacher's width; layers that share a map use it each. */
const mapsOf = (plan: DistillPlan.DistillPlan, { layers }: BertConfig.BertConfig): number => {
  if (plan.projection.start === "none") return 0
  const { taps } = plan.loss
  return (taps.includes("embedding") ? 1 : 0) + (taps.includes("hidden") ? layers : 0)
}

const float = 4

/** Numbers that a forward pass keeps for the backward one: inputs and outputs of each product, each layer norm, scores and probabilities. */
const kept = (config: BertConfig.BertConfig, { rows, length, masked }: Flops.Batch): number => {
  const tokens = rows * length
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const [qk, vo, ffn] = [config.qk[i] ?? 0, config.vo[i] ?? 0, config.ffn[i] ?? 0]
    return tokens * (6 * config.hidden + 2 * qk + 2 * vo + 2 * ffn) + 2 * rows * config.heads * length * length
  })
  return layers.reduce(
    (sum, layer) => sum + layer,
    2 * tokens * config.hidden + masked * (3 * config.hidden + 2 * config.vocabSize)
  )
}

/** Numbers that the loss taps of the teacher, and the student's states at the teacher's width. */
const tapped = (
  plan: DistillPlan.DistillPlan,
  teacher: BertConfig.BertConfig,
  batch: Flops.Batch,
  maps: number
): number => {
  const { rows, length, masked } = batch
  const tokens = rows * length
  const taps = teacherTaps(plan.loss)
  const has = (tap: (typeof taps)[number]): number => (taps.includes(tap) ? 1 : 0)
  const values = teacher.vo.reduce((sum, vo) => sum + vo, 0)
  return (
    tokens * teacher.hidden * (has("embedding") + has("hidden") * teacher.layers + maps) +
    has("scores") * teacher.layers * rows * teacher.heads * length * length +
    has("values") * tokens * values +
    has("logits") * masked * teacher.vocabSize
  )
}

const memoryOf = (
  plan: DistillPlan.DistillPlan,
  teacher: BertConfig.BertConfig,
  config: BertConfig.BertConfig,
  batch: Flops.Batch
): Memory => {
  const axes = Axis.of([
    ...BertConfig.axes(config).values(),
    { id: Axis.teacherHidden, size: teacher.hidden, blocks: 1, prunable: false }
  ])
  const weights = float * Parameters.count(StudentStep.parameterSpecs(plan, config), axes)
  const watched = float * Parameters.count(StudentStep.watched(config), axes)
  return {
    teacher: float * Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher)),
    weights,
    gradients: weights,
    moments: plan.optimizer.slots.length * weights,
    slots: plan.scorer.slots.length * watched,
    activations: float * (kept(config, batch) + tapped(plan, teacher, batch, mapsOf(plan, config)))
  }
}

/**
 * The bytes of a memory all together.
 *
 * @example
 * ```ts
 * import { CellCost } from "homodistil/experiment"
 * const each = { teacher: 1, weights: 2, gradients: 2, moments: 4, slots: 3, activations: 8 }
 * assert.equal(CellCost.bytes(each), 20)
 * ```
 */
export const bytes = ({ teacher, weights, gradients, moments, slots, activations }: Memory): number =>
  teacher + weights + gradients + moments + slots + activations

/** The shapes of a run and the steps at which they begin, and that of the model it ends with, which is cut where it is masked. */
const shapes = (plan: DistillPlan.DistillPlan, teacher: BertConfig.BertConfig) => {
  const { steps } = plan.training
  const ratio = DistillPlan.ratio(plan)
  const start = plan.student.shape({ teacher, ranking: plan.ranking, finalRatio: ratio.final })
  const found: Array<{ readonly from: number; readonly config: BertConfig.BertConfig }> = [{ from: 0, config: start }]
  if (plan.student.final || plan.mode.unstructured === true) return { found, end: start }
  const original = BertConfig.axes(start)
  let current = original
  const shrink = (done: number): boolean => {
    if (!PruningEvent.isDue(plan, ratio, done)) return false
    const widths = plan.ranking.widths({ original, current, ratio: ratio.at(done) })
    current = Axis.resize(current, widths)
    return widths.size > 0
  }
  for (let done = 1; done < steps; done++)
    if (shrink(done) && !plan.mode.masked) found.push({ from: done, config: BertConfig.fromAxes(start, current) })
  shrink(steps)
  return { found, end: BertConfig.fromAxes(start, current) }
}

/** Operations of what is measured of a student of this shape once so many steps are done; the measures at the end are not among them. */
const measuredAt = (plan: DistillPlan.DistillPlan, { scale, trajectory }: Followed) => {
  const { steps } = plan.training
  const [isCurve, isChecked] = [scale.points, trajectory?.points ?? 1].map((points) => isPoint(steps, points))
  return (config: BertConfig.BertConfig, done: number): number =>
    (isCurve?.(done) === true || done === steps ? Flops.forward(config, heldOut(plan, scale.curveRows)) : 0) +
    (trajectory !== undefined && done < steps && isChecked?.(done) === true
      ? measuresOf(plan, trajectory.measure, scale, config)
      : 0)
}

const measuresOf = (
  plan: DistillPlan.DistillPlan,
  measures: Followed["measures"],
  { testRows, small }: Followed["scale"],
  config: BertConfig.BertConfig
): number => Measure.flops(measures, { config, heldOut: heldOut(plan, testRows), small })

const size = (config: BertConfig.BertConfig): number =>
  Parameters.count(Parameters.bert(config), BertConfig.axes(config))

/**
 * What a cell costs: the widths that its ranking will give it, step by step, and what follows from them. Nothing is run, and no weights are
 * needed. Operations are those of matrix products; measures cost nothing unless it is said what is measured.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * import { Measure } from "homodistil/evaluate"
 * import { CellCost, Scale } from "homodistil/experiment"
 * import { BertConfig } from "homodistil/model"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * const { stretches } = CellCost.of(plan, BertConfig.micro)
 * assert.deepEqual([stretches[0]?.config.hidden, stretches.at(-1)?.config.hidden, stretches.at(-1)?.from], [128, 32, 110])
 * const followed = { scale: Scale.micro, measures: Measure.standard() }
 * assert.ok(CellCost.of(plan, BertConfig.micro, followed).measures > 1e11)
 * ```
 */
export const of = (plan: DistillPlan.DistillPlan, teacher: BertConfig.BertConfig, followed?: Followed): CellCost => {
  const { steps, rows, length, maskRate } = plan.training
  const batch = batchOf(rows, length, maskRate)
  const counted = asked(plan, batch)
  const { found, end } = shapes(plan, teacher)
  const measured = followed === undefined ? () => 0 : measuredAt(plan, followed)
  const stretches = found.map(({ from, config }, i): Stretch => {
    const maps = mapsOf(plan, config)
    const to = found[i + 1]?.from ?? steps
    // what is measured after the last step is measured of the last shape
    const looks = Array.from({ length: to - from + (to === steps ? 1 : 0) }, (_, n) => measured(config, from + n))
    return {
      from,
      to,
      config,
      parameters: size(config),
      flops: Flops.trainingStep(config, counted) + 3 * Flops.projections(config, teacher, batch, maps),
      measured: looks.reduce((sum, operations) => sum + operations, 0)
    }
  })
  const memories = stretches.map(({ config }) => memoryOf(plan, teacher, config, counted))
  const [first] = memories
  const ending = followed === undefined ? 0 : measuresOf(plan, followed.measures, followed.scale, end)
  const taps = teacherTaps(plan.loss)
  return {
    steps,
    batch,
    stretches,
    student: stretches.reduce((sum, { from, to, flops }) => sum + (to - from) * flops, 0),
    // without a tap of its logits nobody asks the teacher for any
    teacher: taps.length === 0 ? 0 : steps * Flops.forward(teacher, counted),
    measures: stretches.reduce((sum, stretch) => sum + stretch.measured, ending),
    end: { parameters: size(end), flops: ending },
    memory: memories.reduce(
      (most, memory) => (bytes(memory) > bytes(most) ? memory : most),
      first ?? memoryOf(plan, teacher, teacher, counted)
    )
  }
}

/**
 * The costs of cells under a teacher of this shape; those of cells that differ in their seeds alone are found once.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * import { CellCost, Scale } from "homodistil/experiment"
 * import { BertConfig } from "homodistil/model"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * const costOf = CellCost.under(BertConfig.micro)
 * const cell = { plan, scale: Scale.micro, measures: [] }
 * assert.equal(costOf(cell), costOf({ ...cell }))
 * ```
 */
export const under = (teacher: BertConfig.BertConfig): ((cell: Followed & Pick<Cell.CellSpec, "plan">) => CellCost) => {
  const known = new Map<string, CellCost>()
  return ({ plan, scale, measures, trajectory }) => {
    const json = (all: Followed["measures"]) => all.map(({ spec }) => Spec.toJson(spec))
    const key = canonical([
      Spec.toJson(DistillPlan.spec(plan)),
      Spec.toJson(scale.spec),
      json(measures),
      trajectory === undefined ? null : [trajectory.points, json(trajectory.measure)]
    ])
    const followed = { scale, measures, ...(trajectory === undefined ? {} : { trajectory }) }
    const cost = known.get(key) ?? of(plan, teacher, followed)
    known.set(key, cost)
    return cost
  }
}
