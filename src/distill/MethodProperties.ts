import { Spec } from "../spec/index.ts"
import { type DistillPlan, ratio as ratioOf } from "./DistillPlan.ts"
import { isDue } from "./PruningEvent.ts"

/** A method from the pruning point of view: a row of the paper's Table 2. */
export interface MethodProperties {
  /** Where the student starts: the name of its initialiser, in words. */
  readonly initialisation: string
  /** Whether what goes goes step by step, at one moment, or nothing is pruned while the student trains. */
  readonly pruning: "iterative" | "one-shot" | "none"
  /** The score that decides what stays; `none` without pruning. */
  readonly criterion: string
  /** What goes: units, which are cut or masked and scored as described, or single weights; `none` without pruning. */
  readonly granularity: string
  /** Whether the student is made from plain text alone: so it is for whatever trains here. */
  readonly taskAgnostic: boolean
  /** The terms of the loss, in words. */
  readonly losses: ReadonlyArray<string>
  /** Whether the loss looks at the teacher. */
  readonly teacher: boolean
}

/** A name such as `fromTeacher` in words. */
const words = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase()

/** How often the student becomes smaller over a run. */
const falls = (plan: DistillPlan): number => {
  const { steps } = plan.training
  const ratio = ratioOf(plan)
  const done = Array.from({ length: steps }, (_, i) => i + 1).filter((step) => isDue(plan, ratio, step))
  return new Set(done.map(ratio.at).filter((remaining) => remaining < 1)).size
}

const granularityOf = ({ mode, granularity }: DistillPlan): string =>
  mode.unstructured === true
    ? "single weights"
    : `${mode.masked ? "masked " : ""}units, scored by their ${words(granularity.spec.name)}`

/**
 * The properties of a method, read off what was really provided, so that a method made elsewhere has its row as well (paper, Table 2).
 *
 * Throws `ConfigError` when the remaining ratio breaks its promises over the run's steps.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.oneShot())))
 * const { initialisation, pruning, criterion, teacher } = Method.properties(plan)
 * assert.deepEqual([initialisation, pruning, criterion, teacher], ["from teacher", "one-shot", "sensitivity", true])
 * ```
 */
export const properties = (plan: DistillPlan): MethodProperties => {
  const times = plan.student.final ? 0 : falls(plan)
  return {
    initialisation: words(plan.student.spec.name),
    pruning: times === 0 ? "none" : times === 1 ? "one-shot" : "iterative",
    criterion: times === 0 ? "none" : Spec.describe({ ...plan.scorer.spec, options: {} }),
    granularity: times === 0 ? "none" : granularityOf(plan),
    taskAgnostic: true,
    losses: plan.loss.terms.map(words),
    teacher: plan.loss.teacherFree !== true
  }
}
