import type { Runner } from "../experiment/index.ts"
import { Spec } from "../spec/index.ts"
import type { Landmark, LineFigure, Series } from "./LineFigure.ts"
import * as Table from "./Table.ts"

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`

/** The setting of a finished experiment in one line: scale, steps, batch, seeds. */
const setting = ({ scale, seeds, rows }: Runner.Finished): string => {
  const training = rows[0]?.row.plan.training
  return [
    `${scale.name} scale`,
    ...(training === undefined
      ? []
      : [count(training.steps, "step"), `batches of ${training.rows} × ${training.length} pieces`]),
    count(seeds.length, "seed")
  ].join(", ")
}

/** The components that are the same in all rows, by `text`. */
const shared = (
  { rows, experiment }: Runner.Finished,
  names: ReadonlyArray<"student" | "scorer" | "ratio" | "loss" | "granularity" | "optimizer">,
  text: (spec: Spec.Spec) => string
): string => {
  const plan = rows[0]?.row.plan
  return plan === undefined
    ? ""
    : names
        .filter((name) => !(name in experiment.vary))
        .map((name) => `${name} ${text(plan[name].spec)}`)
        .join("; ")
}

const rowHeader = ({ experiment }: Runner.Finished): string =>
  experiment.rowHeader ?? Object.keys(experiment.vary).join(" · ")

/**
 * The table of a finished experiment: one row a method, one column a measure, paired by seed against the baseline.
 *
 * A cell that diverged is shown as missing with the reason, never left out.
 */
export const table = (finished: Runner.Finished, provenance: ReadonlyArray<string>): Table.Table => {
  const { experiment, seeds, rows } = finished
  const columns = experiment.measure.flatMap((measure) => measure.columns)
  const input: Table.TableInput = {
    title: experiment.title,
    caption: `${setting(finished)}; mean ± half-width of the 95 % t-interval over seeds. Differences are paired by seed.`,
    rowHeader: rowHeader(finished),
    columns,
    seeds,
    rows: rows.map(({ row, cells }) => {
      const failed = cells.flatMap(({ diverged }) => diverged ?? [])
      return {
        name: row.label,
        baseline: row.name === experiment.baseline,
        cells: Object.fromEntries(
          columns.map(({ id }) => [
            id,
            {
              values: cells.map(({ measures }) => measures[id] ?? null),
              ...(failed.length === 0 ? {} : { missing: failed.join("; ") })
            }
          ])
        )
      }
    }),
    notes: [
      ...(experiment.notes ?? []),
      `All rows: ${shared(finished, ["student", "scorer", "ratio", "loss", "granularity", "optimizer"], Spec.describe)}.`
    ],
    provenance
  }
  return Table.make(input)
}

/** The value of each seed at each step that every seed reached. */
const series = (
  finished: Runner.Finished,
  of: (point: { readonly discrepancy: number; readonly parameters: number }) => number
): ReadonlyArray<Series> =>
  finished.rows.map(({ row, cells }) => {
    const steps = (cells[0]?.curve ?? []).map(({ step }) => step)
    return {
      name: row.label,
      points: steps.flatMap((step) => {
        const values = cells.flatMap(({ curve }) => curve.filter((point) => point.step === step).map(of))
        return values.length === 0 ? [] : [{ step, values }]
      })
    }
  })

const landmarks = ({ rows }: Runner.Finished): ReadonlyArray<Landmark> => {
  const plan = rows.find(({ row }) => !row.plan.student.final)?.row.plan
  if (plan === undefined) return []
  const { ends } = plan.ratio.over(plan.training.steps)
  return ends > 0 ? [{ step: ends, label: "pruning ends" }] : []
}

/** The discrepancy curve of a finished experiment (paper, Fig. 3), with the student's size below. */
export const figure = (finished: Runner.Finished): LineFigure => ({
  title: `${finished.experiment.title}: prediction discrepancy`,
  subtitle: [
    `${setting(finished)}; mean and 95 % interval over seeds`,
    shared(finished, ["student", "scorer", "ratio"], Spec.describe)
  ],
  panels: [
    { title: "KL(teacher ‖ student), nats", series: series(finished, (point) => point.discrepancy) },
    {
      title: "Parameters of the student",
      series: series(finished, (point) => point.parameters),
      height: 120,
      format: "~s"
    }
  ],
  landmarks: landmarks(finished)
})
