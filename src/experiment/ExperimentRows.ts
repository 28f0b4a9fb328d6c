import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { DistillPlan, type DistillServices } from "../distill/index.ts"
import { ConfigError, type ConfigProblem, Options, Spec } from "../spec/index.ts"
import { type ExperimentOptions, isMethod, type Methods } from "./Experiment.ts"
import { planAt, type Scale } from "./Scale.ts"
import { combinations, keysOf, type Variation } from "./Variation.ts"

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
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Method } from "homodistil/distill"
 * import { Experiment, ExperimentRows, Scale } from "homodistil/experiment"
 * const one = { name: "mine", title: "Mine", method: Method.homoDistil(), measure: [], seeds: 3, baseline: "mine" }
 * const error = Effect.runSync(Effect.flip(ExperimentRows.of(Experiment.make(one), Scale.micro)))
 * assert.match(error.message, /mine.baseline = mine/)
 * ```
 */
export const of = (options: ExperimentOptions, scale: Scale): Effect.Effect<ReadonlyArray<Row>, ConfigError> =>
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
