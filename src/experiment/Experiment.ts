import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import {
  DistillPlan,
  type DistillServices,
  type LearningRateService,
  type ProjectionService,
  type PruningModeService,
  type StudentInitService,
  type TrainingService
} from "../distill/index.ts"
import type { Measure } from "../evaluate/index.ts"
import type { ScorerService } from "../importance/index.ts"
import type { LossService } from "../loss/index.ts"
import type { OptimizerService } from "../optimizer/index.ts"
import type { GranularityService, RankingService, RemainingRatioService } from "../pruning/index.ts"
import { ConfigError, type ConfigProblem, Options, Spec } from "../spec/index.ts"
import { planAt, type Scale } from "./Scale.ts"

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

/**
 * A picture of an experiment: `discrepancy` over the steps (paper, Fig. 3), `path` the discrepancy against the parameters left on the way
 * (Fig. 1), `widths` of every axis over the steps (Fig. 2), `trajectory` the measures taken on the way over the steps (Fig. 4).
 */
export type Figure = "discrepancy" | "path" | "widths" | "trajectory"

/** Methods by the name of their row. */
export type Methods = { readonly [name: string]: Layer.Layer<DistillServices> }

/** A table of the paper, or one's own, in a researcher's words. */
export interface ExperimentOptions {
  readonly name: string
  readonly title: string
  /** Heading of the rows; the name of what is varied unless given. */
  readonly rowHeader?: string
  /**
   * Provides every service a run needs: one method, several by name, each a row, or groups of them by name, whose rows stand together and
   * are compared among themselves. A method that lacks a service does not type-check.
   */
  readonly method: Layer.Layer<DistillServices> | Methods | { readonly [group: string]: Methods }
  /** Rows that stand before all others and are compared with none, such as the teacher; nothing of them is varied. */
  readonly reference?: Methods
  /** Replaces services, row by row; several components are combined. Nothing unless given. */
  readonly vary?: Variation
  readonly measure: ReadonlyArray<Measure.Measure>
  /** The columns that are shown, by id; all unless given. What is measured besides lets tables share their cells. */
  readonly columns?: ReadonlyArray<string>
  /** What is measured of the student on the way, at so many steps besides the end (paper, Fig. 4). */
  readonly trajectory?: { readonly points: number; readonly measure: ReadonlyArray<Measure.Measure> }
  /** The pictures that are drawn beside the table's; the discrepancy over the steps unless given. */
  readonly figures?: ReadonlyArray<Figure>
  /** Seeds at full scale; each row runs with the same ones, on the same data. */
  readonly seeds: number
  /** The row the others are compared with: the name of its method and varied components, without its group. */
  readonly baseline: string
  /** Of the rows, only these by name or label, the baseline and the references; all unless given. */
  readonly only?: ReadonlyArray<string>
  /** Names for rows, where the specs' own names do not read well. */
  readonly labels?: { readonly [name: string]: string }
  /** What the reader should know, under the table. */
  readonly notes?: ReadonlyArray<string>
}

/** One row of an experiment: its name, and the components that were really provided. */
export interface Row {
  readonly name: string
  /** The name within its group. */
  readonly own: string
  readonly label: string
  /** The row that the others of its group are compared with. */
  readonly baseline: boolean
  /** Whether it is compared with no other row. */
  readonly reference: boolean
  /** The group it stands in, where rows are grouped. */
  readonly group?: string
  readonly plan: DistillPlan.DistillPlan
}

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

/** Varied components in the order they are written. */
const keysOf = (vary: Variation): ReadonlyArray<keyof ServiceOf> => order.filter((key) => vary[key] !== undefined)

/** Every combination of one layer for each varied component, as a layer that replaces the method's. */
const combinations = (vary: Variation): ReadonlyArray<ReadonlyArray<Layer.Layer<never>>> =>
  keysOf(vary).reduce<ReadonlyArray<ReadonlyArray<Layer.Layer<never>>>>(
    (rows, key) => rows.flatMap((row) => (vary[key] ?? []).map((layer) => [...row, layer])),
    [[]]
  )

/** The plan of a row: a method at a scale, with what is varied in its place. */
const resolve = (
  method: Layer.Layer<DistillServices>,
  scale: Scale,
  vary: Variation,
  replaced: ReadonlyArray<Layer.Layer<never>>
): Effect.Effect<DistillPlan.DistillPlan> => {
  const whole = replaced.reduce<Layer.Layer<DistillServices>>((left, right) => Layer.merge(left, right), method)
  return Effect.map(DistillPlan.resolve.pipe(Effect.provide(whole)), (plan) => planAt(scale, plan, keysOf(vary)))
}

/** A method, and how it is called. */
interface Named {
  readonly reference: boolean
  readonly group?: string
  readonly method?: string
  readonly layer: Layer.Layer<DistillServices>
}

const isMethod = (value: unknown): value is Layer.Layer<DistillServices> => Layer.isLayer(value)

/** The methods of an experiment; a single one has no name. */
const methodsOf = ({ method }: ExperimentOptions): ReadonlyArray<Omit<Named, "reference">> =>
  isMethod(method)
    ? [{ layer: method }]
    : Object.entries(method).flatMap(([name, one]: readonly [string, Layer.Layer<DistillServices> | Methods]) =>
        isMethod(one)
          ? [{ method: name, layer: one }]
          : Object.entries(one).map(([inner, layer]) => ({ group: name, method: inner, layer }))
      )

/** All methods that have rows, references first. */
const namedOf = (options: ExperimentOptions): ReadonlyArray<Named> => [
  ...Object.entries(options.reference ?? {}).map(([method, layer]) => ({ method, layer, reference: true })),
  ...methodsOf(options).map((one) => ({ ...one, reference: false }))
]

/** What of an experiment a method is varied by. */
const variationOf = ({ vary = {} }: ExperimentOptions, { reference }: Named): Variation => (reference ? {} : vary)

/** A row before it has a name. */
interface Candidate extends Named {
  readonly plan: DistillPlan.DistillPlan
}

/** The name of a row in its group: its method and varied components, by `text`. */
const named = (options: ExperimentOptions, one: Candidate, text: (spec: Spec.Spec) => string): string =>
  [
    ...(one.method === undefined ? [] : [one.method]),
    ...keysOf(variationOf(options, one)).map((key) => text(one.plan[key].spec))
  ].join(" · ")

/** What keeps a row's plan from being run. */
const problemsOfPlan = ({ name, plan }: Row): ReadonlyArray<ConfigProblem> =>
  Result.match(
    Options.attempt(() => DistillPlan.ratio(plan)),
    {
      onSuccess: () => [],
      onFailure: ({ problems }) => problems.map((problem) => ({ ...problem, key: `${problem.key} of ${name}` }))
    }
  )

const problems = (options: ExperimentOptions, rows: ReadonlyArray<Row>): ReadonlyArray<ConfigProblem> => {
  const names = rows.map(({ name }) => name)
  const known = new Set(options.measure.flatMap(({ columns }) => columns.map(({ id }) => id)))
  const called = new Set(rows.flatMap(({ own, name, label }) => [own, name, label]))
  const groups = Map.groupBy(
    rows.filter(({ reference }) => !reference),
    ({ group }) => group
  )
  return [
    ...names.flatMap((name, i) =>
      names.indexOf(name) === i
        ? []
        : [{ key: `${options.name}.vary`, value: name, bound: "different rows", remedy: "leave one of the two out" }]
    ),
    ...[...groups].flatMap(([group, members]) =>
      members.some(({ baseline }) => baseline)
        ? []
        : [
            {
              key: `${options.name}.baseline`,
              value: options.baseline,
              bound: `one of ${members.map(({ own }) => own).join(", ")}${group === undefined ? "" : ` in the group ${group}`}`,
              remedy: "name the row that the others are compared with"
            }
          ]
    ),
    ...(options.only ?? [])
      .filter((name) => !called.has(name))
      .map((name) => ({
        key: `${options.name}.only`,
        value: name,
        bound: `one of ${[...new Set(rows.map(({ own }) => own))].join(", ")}`,
        remedy: "leave it out, or write it as it is listed"
      })),
    ...(options.columns ?? [])
      .filter((id) => !known.has(id))
      .map((id) => ({
        key: `${options.name}.columns`,
        value: id,
        bound: `one of ${[...known].join(", ")}`,
        remedy: "measure it, or leave the column out"
      })),
    ...rows.flatMap(problemsOfPlan)
  ]
}

/**
 * The rows of an experiment at a scale, each with the components that its layers really provide.
 *
 * Fails with `ConfigError` when two rows are the same, the baseline is none of them, a column is not measured, or a row's pruning cannot be
 * run (`DistillPlan.ratio`).
 */
export const rows = (options: ExperimentOptions, scale: Scale): Effect.Effect<ReadonlyArray<Row>, ConfigError> =>
  Effect.gen(function* () {
    const found = yield* Effect.forEach(namedOf(options), (one) => {
      const vary = variationOf(options, one)
      return Effect.forEach(combinations(vary), (layers) =>
        Effect.map(resolve(one.layer, scale, vary, layers), (plan): Candidate => ({ ...one, plan }))
      )
    })
    const candidates = found.flat()
    const full = (group: string | undefined, own: string): string => (group === undefined ? own : `${group} · ${own}`)
    const short = candidates.map((one) =>
      full(
        one.group,
        named(options, one, (spec) => spec.name)
      )
    )
    const made = candidates.map((one, i): Row => {
      const alone = short.indexOf(short[i] ?? "") === short.lastIndexOf(short[i] ?? "")
      // two rows of one name differ in their options: then the options are part of the name
      const own = named(options, one, alone ? (spec) => spec.name : Spec.describe)
      return {
        name: full(one.group, own),
        own,
        label: options.labels?.[own] ?? own,
        baseline: !one.reference && own === options.baseline,
        reference: one.reference,
        ...(one.group === undefined ? {} : { group: one.group }),
        plan: one.plan
      }
    })
    const wrong = problems(options, made)
    return wrong.length > 0 ? yield* new ConfigError({ problems: wrong }) : made.filter(isShown(options))
  })

const isShown =
  ({ only }: ExperimentOptions) =>
  ({ baseline, reference, own, name, label }: Row): boolean =>
    only === undefined || baseline || reference || only.some((each) => each === own || each === name || each === label)

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
 * An experiment on a user's data in the place of what is made from Brown, wherever it measures that: its cells are others. One that measures
 * nothing of the kind comes back as it is. With tasks of labelled text, what else is made from Brown is only measured where it is shown.
 *
 * @example
 * ```ts
 * import { spanSquad, squadOfJson, tokenizerOfVocabulary } from "homodistil/data"
 * import { Method } from "homodistil/distill"
 * import { Measure } from "homodistil/evaluate"
 * import { Experiment } from "homodistil/experiment"
 * import * as Result from "effect/Result"
 * const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
 * const json = JSON.stringify({ data: [{ title: "t", paragraphs: [{ context: "a b", qas }] }] })
 * const file = Result.getOrThrow(squadOfJson("one.json", json))
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (word) => [word === "a" ? 5 : 6])
 * const table = Experiment.make({
 *   name: "mine", title: "Mine", method: { homoDistil: Method.homoDistil() }, baseline: "homoDistil", seeds: 3,
 *   measure: [Measure.curve(), Measure.span()], columns: ["span.f1", "curve.final"]
 * })
 * const { columns } = Experiment.on(table, { squad: { task: spanSquad({ train: file, test: file }, toy), length: 64 } })
 * assert.deepEqual(columns, ["squad.f1", "curve.final"])
 * ```
 */
export const on = (options: ExperimentOptions, given: Measure.Given): ExperimentOptions => {
  const { measure, trajectory, columns } = options
  const all = [...measure, ...(trajectory?.measure ?? [])]
  const replacements = new Map(
    all.flatMap((each) => {
      const found = each.on?.(given)
      return found === undefined ? [] : [[each, found] as const]
    })
  )
  if (replacements.size === 0) return options
  const names = new Map([...replacements.values()].flatMap((each) => [...each.columns]))
  const shown = columns === undefined ? undefined : new Set(columns.flatMap((id) => names.get(id) ?? [id]))
  const replaced = (each: Measure.Measure): Measure.Measure => replacements.get(each)?.measure ?? each
  const needed = (each: Measure.Measure): boolean =>
    given.texts === undefined ||
    shown === undefined ||
    each.on === undefined ||
    replacements.has(each) ||
    each.columns.some(({ id }) => shown.has(id))
  return {
    ...options,
    measure: measure.filter(needed).map(replaced),
    ...(trajectory === undefined ? {} : { trajectory: { ...trajectory, measure: trajectory.measure.map(replaced) } }),
    ...(shown === undefined ? {} : { columns: [...shown] })
  }
}

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
    (isMethod(field("method")) || isMethods(field("method"))) &&
    (field("reference") === undefined || isMethods(field("reference"))) &&
    (vary === undefined ||
      (typeof vary === "object" &&
        vary !== null &&
        Object.entries(vary).every(
          ([key, layers]) => isComponent(key) && Array.isArray(layers) && layers.every(Layer.isLayer)
        )))
  )
}

const isMethods = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).length > 0 &&
  Object.values(value).every((one) => isMethod(one) || isMethods(one))

const isComponent = (key: string): key is keyof ServiceOf => order.some((component) => component === key)
