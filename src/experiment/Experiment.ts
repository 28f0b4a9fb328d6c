import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  DistillPlan,
  type DistillServices,
  type LearningRateService,
  type ProjectionService,
  type PruningModeService,
  type StudentInitService,
  Training,
  type TrainingService
} from "../distill/index.ts"
import type { Measure } from "../evaluate/index.ts"
import type { ScorerService } from "../importance/index.ts"
import type { LossService } from "../loss/index.ts"
import type { OptimizerService } from "../optimizer/index.ts"
import type { GranularityService, RankingService, RemainingRatioService } from "../pruning/index.ts"
import { ConfigError, type ConfigProblem, Spec } from "../spec/index.ts"
import type * as Scale from "./Scale.ts"

/** The service behind each component of a plan: what may be varied, under the name it has there. */
export interface ServiceOf {
  readonly loss: LossService
  readonly scorer: ScorerService
  readonly ratio: RemainingRatioService
  readonly granularity: GranularityService
  readonly ranking: RankingService
  readonly optimizer: OptimizerService
  readonly learningRate: LearningRateService
  readonly student: StudentInitService
  readonly projection: ProjectionService
  readonly mode: PruningModeService
  readonly training: TrainingService
}

/** What is varied: for some components of the plan, the layers that take turns in providing it. */
export type Variation = { readonly [K in keyof ServiceOf]?: ReadonlyArray<Layer.Layer<ServiceOf[K]>> }

/** A table of the paper, or one's own, in a researcher's words. */
export interface ExperimentOptions {
  readonly name: string
  readonly title: string
  /** Heading of the rows; the name of what is varied unless given. */
  readonly rowHeader?: string
  /** Provides every service a run needs; one that lacks a service does not type-check. */
  readonly method: Layer.Layer<DistillServices>
  /** Replaces services, row by row; several components are combined. */
  readonly vary: Variation
  readonly measure: ReadonlyArray<Measure.Measure>
  /** Seeds at full scale; each row runs with the same ones, on the same data. */
  readonly seeds: number
  /** The row the others are compared with: the name of its varied components. */
  readonly baseline: string
  /** Names for rows, where the specs' own names do not read well. */
  readonly labels?: { readonly [name: string]: string }
  /** What the reader should know, under the table. */
  readonly notes?: ReadonlyArray<string>
}

/** One method of an experiment: its name, and the components that were really provided. */
export interface Row {
  readonly name: string
  readonly label: string
  readonly plan: DistillPlan.DistillPlan
}

/** Keys in the order they are written. */
const keysOf = (vary: Variation): ReadonlyArray<keyof ServiceOf> => order.filter((key) => vary[key] !== undefined)

const order: ReadonlyArray<keyof ServiceOf> = [
  "student",
  "loss",
  "scorer",
  "ratio",
  "granularity",
  "ranking",
  "optimizer",
  "learningRate",
  "projection",
  "mode",
  "training"
]

/** Every combination of one layer for each varied component, as a layer that replaces the method's. */
const combinations = (vary: Variation): ReadonlyArray<ReadonlyArray<Layer.Layer<never>>> =>
  keysOf(vary).reduce<ReadonlyArray<ReadonlyArray<Layer.Layer<never>>>>(
    (rows, key) => rows.flatMap((row) => (vary[key] ?? []).map((layer) => [...row, layer])),
    [[]]
  )

const scaled = (scale: Scale.Scale): Layer.Layer<TrainingService, never, TrainingService> =>
  Layer.effect(
    Training.TrainingService,
    Effect.map(Training.TrainingService, ({ spec: _, ...training }) =>
      Training.make({ ...training, ...scale.training })
    )
  )

const resolve = (
  options: ExperimentOptions,
  scale: Scale.Scale,
  replaced: ReadonlyArray<Layer.Layer<never>>
): Effect.Effect<DistillPlan.DistillPlan> => {
  const method = replaced.reduce<Layer.Layer<DistillServices>>(
    (left, right) => Layer.merge(left, right),
    options.method
  )
  return DistillPlan.resolve.pipe(Effect.provide(Layer.merge(method, scaled(scale).pipe(Layer.provide(method)))))
}

/** The names of a plan's varied components, by `text`. */
const named = (options: ExperimentOptions, plan: DistillPlan.DistillPlan, text: (spec: Spec.Spec) => string): string =>
  keysOf(options.vary)
    .map((key) => text(plan[key].spec))
    .join(" · ")

const problems = (options: ExperimentOptions, names: ReadonlyArray<string>): ReadonlyArray<ConfigProblem> => [
  ...names.flatMap((name, i) =>
    names.indexOf(name) === i
      ? []
      : [{ key: `${options.name}.vary`, value: name, bound: "different rows", remedy: "leave one of the two out" }]
  ),
  ...(names.includes(options.baseline)
    ? []
    : [
        {
          key: `${options.name}.baseline`,
          value: options.baseline,
          bound: `one of ${names.join(", ")}`,
          remedy: "name the row that the others are compared with"
        }
      ])
]

/**
 * The rows of an experiment at a scale, each with the components that its layers really provide.
 *
 * Fails with `ConfigError` when two rows are the same or the baseline is none of them.
 */
export const rows = (options: ExperimentOptions, scale: Scale.Scale): Effect.Effect<ReadonlyArray<Row>, ConfigError> =>
  Effect.gen(function* () {
    const plans = yield* Effect.forEach(combinations(options.vary), (layers) => resolve(options, scale, layers))
    const short = plans.map((plan) => named(options, plan, (spec) => spec.name))
    const made = plans.map((plan, i): Row => {
      const brief = short[i] ?? ""
      // two rows of one name differ in their options: then the options are part of the name
      const name = short.indexOf(brief) === short.lastIndexOf(brief) ? brief : named(options, plan, Spec.describe)
      return { name, label: options.labels?.[name] ?? name, plan }
    })
    const wrong = problems(
      options,
      made.map((row) => row.name)
    )
    return wrong.length > 0 ? yield* new ConfigError({ problems: wrong }) : made
  })

/**
 * An experiment: a method, what is varied about it, and what is measured.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Method } from "homodistil/distill"
 * import { Experiment, Scale } from "homodistil/experiment"
 * import * as Scorer from "homodistil/importance"
 * const table = Experiment.make({
 *   name: "mine", title: "Two scorers", method: Method.homoDistil(),
 *   vary: { scorer: [Scorer.magnitude(), Scorer.platon()].map(Scorer.layer) },
 *   measure: [], seeds: 3, baseline: "magnitude"
 * })
 * const rows = Effect.runSync(Experiment.rows(table, Scale.micro))
 * assert.deepEqual(rows.map((row) => row.name), ["magnitude", "platon"])
 * ```
 */
export const make = (options: ExperimentOptions): ExperimentOptions => options

/**
 * Whether a value is an experiment as `make` gives it: for the default export of a researcher's file.
 *
 * @example
 * ```ts
 * import { Experiment } from "homodistil/experiment"
 * assert.equal(Experiment.isExperiment({ name: "table6" }), false)
 * ```
 */
export const isExperiment = (value: unknown): value is ExperimentOptions => {
  if (typeof value !== "object" || value === null) return false
  const field = (key: string): unknown => Reflect.get(value, key)
  const vary = field("vary")
  return (
    ["name", "title", "baseline"].every((key) => typeof field(key) === "string") &&
    Number.isInteger(field("seeds")) &&
    Array.isArray(field("measure")) &&
    Layer.isLayer(field("method")) &&
    typeof vary === "object" &&
    vary !== null &&
    Object.entries(vary).every(
      ([key, layers]) => isComponent(key) && Array.isArray(layers) && layers.every(Layer.isLayer)
    )
  )
}

const isComponent = (key: string): key is keyof ServiceOf => order.some((component) => component === key)
