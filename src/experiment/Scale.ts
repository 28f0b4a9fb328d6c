import { DistillPlan, LearningRate, Training } from "../distill/index.ts"
import * as Loss from "../loss/index.ts"
import { BertConfig } from "../model/index.ts"
import { adamW } from "../optimizer/index.ts"
import { ConfigError, Digest, type JsonObject, Spec } from "../spec/index.ts"
import * as Architecture from "./Architecture.ts"

/** What a scale may replace besides training options. */
export type Components = Pick<DistillPlan.DistillPlan, "learningRate" | "optimizer">

/** How large an experiment is run: what a laptop can do, a smoke test, or what the paper did. */
export interface Scale {
  readonly name: string
  readonly spec: Spec.Spec
  /** What it changes of a method's training options. */
  readonly training: Training.TrainingOptions
  /** What it decides of a loss that leaves it open, whatever terms and weights that has; losses stay as they are unless given. */
  readonly loss?: Loss.Setting
  /**
   * Components that take the place of HomoDistil's micro setting: each replaces what a method provides only where that is what
   * `Method.homoDistil()` provides. What a method does otherwise, and whatever an experiment varies, stays.
   */
  readonly components?: Partial<Components>
  /** The learning rate in the place of that among the components, for students of which at least the share `from` remains. */
  readonly wide?: { readonly from: number; readonly learningRate: LearningRate.LearningRate }
  /** The teacher that is assumed where none is given, to plan with; the micro teacher unless given. */
  readonly teacher?: BertConfig.BertConfig
  /** Seeds of an experiment, unless asked for otherwise. */
  readonly seeds: number
  /** Points of the discrepancy curve besides the start. */
  readonly points: number
  /** Rows of the fixed validation batch the curve is measured on. */
  readonly curveRows: number
  /** Test rows that the final held-out measures are taken on, in batches of `testBatch`. */
  readonly testRows: number
  readonly testBatch: number
  /** Whether downstream tasks are measured with few examples and steps. */
  readonly small: boolean
}

/**
 * A scale of one's own. Its name, its number of seeds and the teacher it assumes shape no cell, so they are not in its spec.
 *
 * @example
 * ```ts
 * import { Scale } from "homodistil/experiment"
 * const { name, seeds, spec, ...rest } = Scale.micro
 * assert.deepEqual(Scale.make({ ...rest, name: "mine", seeds: 10 }).spec, spec)
 * ```
 */
export const make = (scale: Omit<Scale, "spec">): Scale => {
  const { name: _name, seeds: _seeds, teacher: _teacher, components, loss, wide, ...rest } = scale
  const options: JsonObject = {
    ...rest,
    training: { ...rest.training },
    ...(loss === undefined ? {} : { loss: { ...loss } })
  }
  const parts = [
    ...Object.entries(components ?? {}).map(([name, { spec }]) => Spec.make(name, { parts: [spec] })),
    ...(wide === undefined
      ? []
      : [Spec.make("wide", { options: { from: wide.from }, parts: [wide.learningRate.spec] })])
  ]
  parts.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...scale, spec: Spec.make("scale", { options, ...(parts.length === 0 ? {} : { parts }) }) }
}

/** HomoDistil's micro setting of what a scale may replace. */
const microComponents: Components = { learningRate: LearningRate.micro, optimizer: adamW() }

const isMicro = <K extends keyof Components>(name: K, { spec }: Components[K]): boolean =>
  Digest.of(Spec.toJson(spec)) === Digest.of(Spec.toJson(microComponents[name].spec))

/** The learning rate that a scale has for a student: of the wide ones' own, where it keeps enough. */
const learningRateOf = ({ wide, components = {} }: Scale, plan: DistillPlan.DistillPlan) =>
  wide !== undefined && DistillPlan.ratio(plan).final >= wide.from ? wide.learningRate : components.learningRate

/**
 * A plan at a scale: with the scale's training options, its loss in the scale's setting, and in the place of HomoDistil's micro setting the
 * scale's components, those that are `varied` aside. What a method does otherwise stays.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * import { Scale } from "homodistil/experiment"
 * const peak = (ratio: number) => {
 *   const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil({ ratio }))))
 *   return Scale.planAt(Scale.paper, plan).learningRate.over(28_000).at(2799)
 * }
 * assert.deepEqual([0.75, 0.25].map(peak), [3e-4, 6e-4])
 * ```
 */
export const planAt = (
  scale: Scale,
  plan: DistillPlan.DistillPlan,
  varied: ReadonlyArray<keyof DistillPlan.DistillPlan> = []
): DistillPlan.DistillPlan => {
  const { spec: _, ...own } = plan.training
  const { steps, ...batches } = { ...own, ...scale.training }
  // what is not trained is so at every scale
  const training = own.steps === 0 ? Training.none(batches) : Training.make({ ...batches, steps })
  const chosen = <K extends keyof Components>(name: K, replacement: Components[K] | undefined): Components[K] =>
    replacement !== undefined && !varied.includes(name) && isMicro(name, plan[name]) ? replacement : plan[name]
  return {
    ...plan,
    training,
    loss: scale.loss === undefined ? plan.loss : Loss.inSetting(plan.loss, scale.loss),
    learningRate: chosen("learningRate", learningRateOf(scale, { ...plan, training })),
    optimizer: chosen("optimizer", scale.components?.optimizer)
  }
}

/** A minute: every part runs, no number means anything. */
export const smoke: Scale = make({
  name: "smoke",
  training: { steps: 40, pruneEvery: 10 },
  seeds: 2,
  points: 4,
  curveRows: 32,
  testRows: 128,
  testBatch: 64,
  small: true
})

/** What the README shows: 400 steps, up to six seeds, minutes on two cores. */
export const micro: Scale = make({
  name: "micro",
  training: {},
  seeds: 6,
  points: 20,
  curveRows: 64,
  testRows: 1024,
  testBatch: 128,
  small: false
})

/**
 * A teacher of MiniLM's size (6 layers of 384/1536), which `--teacher` gives: 240 steps, a few minutes a cell on two cores. The rate was the
 * best of three for students of half of each axis, in 60 steps.
 */
export const minilm: Scale = make({
  name: "minilm",
  training: { steps: 240, pruneEvery: 8 },
  components: { learningRate: LearningRate.linearDecay({ peak: 2e-3, warmup: 0.1 }) },
  teacher: Architecture.miniLm,
  seeds: 3,
  points: 20,
  curveRows: 64,
  testRows: 512,
  testBatch: 64,
  small: false
})

/**
 * What the paper did (paper, §6): BERT-base as teacher, 28,000 steps of 4,096 rows of 128 pieces, after 10 % warm-up 3e-4 for HomoBERT-base,
 * which keeps three quarters of each axis, and 6e-4 for the smaller ones, Adam without decay or clipping, attention scores as they are and
 * layers summed. It can be planned; a batch of that size does not fit one step.
 */
export const paper: Scale = make({
  name: "paper",
  training: { steps: 28_000, rows: 4096, length: 128, pruneEvery: 100 },
  loss: { scale: "raw", reduce: "sum" },
  wide: { from: 0.75, learningRate: LearningRate.linearDecay({ peak: 3e-4, warmup: 0.1 }) },
  components: {
    learningRate: LearningRate.linearDecay({ peak: 6e-4, warmup: 0.1 }),
    optimizer: adamW({ beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0, clipNorm: Infinity })
  },
  teacher: Architecture.bertBase,
  seeds: 1,
  points: 20,
  curveRows: 64,
  testRows: 1024,
  testBatch: 128,
  small: false
})

/** The scales by name. */
export const all: ReadonlyArray<Scale> = [smoke, micro, minilm, paper]

/** The teacher that a scale assumes where none is given. */
export const teacherOf = (scale: Scale): BertConfig.BertConfig => scale.teacher ?? BertConfig.micro

/** The most pieces a batch may have: every step takes its batch at once. */
export const largestBatch = 65_536

/**
 * Why a scale cannot be run, though it can be planned: a batch of more pieces than a step takes at once.
 *
 * @example
 * ```ts
 * import { Scale } from "homodistil/experiment"
 * assert.equal(Scale.refusal(Scale.minilm), undefined)
 * assert.match(Scale.refusal(Scale.paper)?.message ?? "", /4096 × 128/)
 * ```
 */
export const refusal = ({ name, training }: Scale): ConfigError | undefined => {
  const { rows, length } = Training.make(training)
  return rows * length <= largestBatch
    ? undefined
    : new ConfigError({
        problems: [
          {
            key: "scale",
            value: name,
            bound: `one whose batch fits a step: ${rows} × ${length} pieces are more than ${largestBatch}, and gradients are not yet accumulated`,
            remedy: "add --plan to see what it would cost, or use --scale minilm"
          }
        ]
      })
}

/**
 * The scale of a name, or the `ConfigError` that lists those there are.
 *
 * @example
 * ```ts
 * import { Scale } from "homodistil/experiment"
 * const found = Scale.named("micro")
 * assert.ok(!("_tag" in found) && found.seeds === 6)
 * ```
 */
export const named = (name: string): Scale | ConfigError =>
  all.find((scale) => scale.name === name) ??
  new ConfigError({
    problems: [
      { key: "scale", value: name, bound: `one of ${all.map((s) => s.name).join(", ")}`, remedy: "use --scale micro" }
    ]
  })
