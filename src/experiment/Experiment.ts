import * as Layer from "effect/Layer"
import type { DistillServices } from "../distill/index.ts"
import type { Measure } from "../evaluate/index.ts"
import { isComponent, type Variation } from "./Variation.ts"

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

/** Whether a value is a method, not a group of them. */
export const isMethod = (value: unknown): value is Layer.Layer<DistillServices> => Layer.isLayer(value)

/**
 * An experiment: a method, what is varied about it, and what is measured.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Method } from "homodistil/distill"
 * import { Experiment, ExperimentRows, Scale } from "homodistil/experiment"
 * import * as Scorer from "homodistil/importance"
 * const table = Experiment.make({
 *   name: "mine", title: "Two scorers", method: Method.homoDistil(),
 *   vary: { scorer: [Scorer.magnitude(), Scorer.platon()].map(Scorer.layer) },
 *   measure: [], seeds: 3, baseline: "magnitude"
 * })
 * const rows = Effect.runSync(ExperimentRows.of(table, Scale.micro))
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
