import { type DistillPlan, LearningRate, Training } from "../distill/index.ts"
import * as Loss from "../loss/index.ts"
import { BertConfig } from "../model/index.ts"
import { adamW } from "../optimizer/index.ts"
import { ConfigError, Digest, type JsonObject, Spec } from "../spec/index.ts"
import * as Architecture from "./Architecture.ts"

/** What a scale may replace besides training options. */
export type Components = Pick<DistillPlan.DistillPlan, "learningRate" | "loss" | "optimizer">

/** How large an experiment is run: what a laptop can do, a smoke test, or what the paper did. */
export interface Scale {
  readonly name: string
  readonly spec: Spec.Spec
  /** What it changes of a method's training options. */
  readonly training: Training.TrainingOptions
  /**
   * Components that take the place of HomoDistil's micro setting: each replaces what a method provides only where that is what
   * `Method.homoDistil()` provides. What a method does otherwise, and whatever an experiment varies, stays.
   */
  readonly components?: Partial<Components>
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
  const { name: _name, seeds: _seeds, teacher: _teacher, components, ...rest } = scale
  const options: JsonObject = { ...rest, training: { ...rest.training } }
  const parts = Object.entries(components ?? {}).map(([name, { spec }]) => Spec.make(name, { parts: [spec] }))
  parts.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...scale, spec: Spec.make("scale", { options, ...(parts.length === 0 ? {} : { parts }) }) }
}

/** HomoDistil's micro setting of what a scale may replace. */
const microComponents: Components = { learningRate: LearningRate.micro, loss: Loss.homoDistil(), optimizer: adamW() }

/**
 * The component that a method has at a scale: the scale's where it has one and the method's own is HomoDistil's micro setting, else the
 * method's own.
 *
 * @example
 * ```ts
 * import { LearningRate } from "homodistil/distill"
 * import { Scale } from "homodistil/experiment"
 * const own = LearningRate.linearDecay({ peak: 0.01, warmup: 0 })
 * assert.equal(Scale.component(Scale.paper, "learningRate", own), own)
 * assert.equal(Scale.component(Scale.micro, "learningRate", LearningRate.micro), LearningRate.micro)
 * assert.equal(Scale.component(Scale.paper, "learningRate", LearningRate.micro).over(28_000).at(2799), 3e-4)
 * ```
 */
export const component = <K extends keyof Components>(
  { components = {} }: Pick<Scale, "components">,
  name: K,
  own: Components[K]
): Components[K] => {
  const replacement: Partial<Components>[K] = components[name]
  const digest = ({ spec }: Components[K]): Digest.Digest => Digest.of(Spec.toJson(spec))
  return replacement !== undefined && digest(own) === digest(microComponents[name]) ? replacement : own
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
 * A teacher of MiniLM's size (6 layers of 384/1536), which `--teacher` gives: 2,000 steps on rows of 128 pieces, at a lower learning rate;
 * hours a cell on a core.
 */
export const minilm: Scale = make({
  name: "minilm",
  training: { steps: 2000, rows: 16, length: 128, pruneEvery: 20 },
  components: { learningRate: LearningRate.linearDecay({ peak: 5e-4, warmup: 0.1 }) },
  teacher: Architecture.miniLm,
  seeds: 2,
  points: 20,
  curveRows: 64,
  testRows: 512,
  testBatch: 64,
  small: false
})

/**
 * What the paper did (paper, §6): BERT-base as teacher, 28,000 steps of 4,096 rows of 128 pieces, 3e-4 after 10 % warm-up, Adam without
 * decay or clipping, attention scores as they are and layers summed. It can be planned; a batch of that size does not fit one step.
 */
export const paper: Scale = make({
  name: "paper",
  training: { steps: 28_000, rows: 4096, length: 128, pruneEvery: 100 },
  components: {
    learningRate: LearningRate.linearDecay({ peak: 3e-4, warmup: 0.1 }),
    loss: Loss.homoDistil({ scale: "raw", reduce: "sum" }),
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
