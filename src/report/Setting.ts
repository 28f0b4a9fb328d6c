import { DistillPlan } from "../distill/index.ts"
import type { ExperimentRows, Runner } from "../experiment/index.ts"
import { Spec } from "../spec/index.ts"
import type { Landmark } from "./LineFigure.ts"

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

const ofAll = <A>(finished: Runner.Finished, of: (row: ExperimentRows.Row) => A): ReadonlyArray<A> => [
  ...new Set(finished.rows.map(({ row }) => of(row)))
]

/** The setting of a finished experiment in one line: scale, steps, batch, seeds, test; where rows differ in steps, each number of them. */
export const line = (finished: Runner.Finished): string => {
  const steps = ofAll(finished, ({ plan }) => plan.training.steps)
  const batches = ofAll(finished, ({ plan }) => `${plan.training.rows} × ${plan.training.length}`)
  return [
    `${finished.scale.name} scale`,
    ...(steps.length === 0
      ? []
      : [
          steps.length === 1 ? count(steps[0] ?? 0, "step") : `${steps.join(" or ")} steps`,
          `batches of ${batches.join(" or ")} pieces`
        ]),
    count(finished.seeds.length, "seed")
  ].join(", ")
}

const components = ["student", "scorer", "ratio", "loss", "granularity", "optimizer"] as const

/** A component that may be the same in all rows. */
export type Component = (typeof components)[number]

/**
 * The components that are the same in all rows, in one line: `scorer platon(...); ratio cubic(final: 0.25)`.
 *
 * Empty where the rows have none in common.
 */
export const shared = (finished: Runner.Finished, names: ReadonlyArray<Component> = components): string =>
  names
    .flatMap((name) => {
      const [one, ...others] = ofAll(finished, ({ plan }) => Spec.describe(plan[name].spec))
      return one === undefined || others.length > 0 ? [] : [`${name} ${one}`]
    })
    .join("; ")

/** The lines under a figure's title. */
export const subtitle = (finished: Runner.Finished, marks: string): ReadonlyArray<string> =>
  [`${line(finished)}; ${marks}`, shared(finished, ["student", "scorer", "ratio"])].filter((text) => text !== "")

/** A row as figures call it, with its group where it has one. */
export const rowName = ({ label, group }: ExperimentRows.Row): string =>
  group === undefined ? label : `${group}, ${label}`

/** Where pruning ends, if it ends at one step in all rows that are pruned while they train. */
export const landmarks = (finished: Runner.Finished): ReadonlyArray<Landmark> => {
  const pruned = finished.rows.filter(({ row }) => !row.plan.student.final)
  const ends = [...new Set(pruned.map(({ row }) => DistillPlan.ratio(row.plan).ends))].filter((e) => e > 0)
  const [end] = ends
  return end === undefined || ends.length > 1 ? [] : [{ step: end, label: "pruning ends" }]
}
