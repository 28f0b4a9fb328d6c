import type { Runner } from "../experiment/index.ts"
import type { LineFigure, Series } from "./LineFigure.ts"
import * as Setting from "./Setting.ts"

/** The value of each seed at each step. */
const series = (
  { rows }: Runner.Finished,
  of: (point: { readonly discrepancy: number; readonly parameters: number }) => number
): ReadonlyArray<Series> =>
  rows.map(({ row, cells }) => {
    const steps = [...new Set(cells.flatMap(({ curve }) => curve.map(({ step }) => step)))].toSorted((a, b) => a - b)
    return {
      name: Setting.rowName(row),
      points: steps.flatMap((step) => {
        const values = cells.flatMap(({ curve }) => curve.filter((point) => point.step === step).map(of))
        return values.length === 0 ? [] : [{ step, values }]
      })
    }
  })

/** The discrepancy curve of a finished experiment (paper, Fig. 3), with the student's size below. */
export const of = (finished: Runner.Finished): LineFigure => ({
  title: `${finished.experiment.title}: prediction discrepancy`,
  subtitle: Setting.subtitle(finished, "mean and 95 % interval over seeds"),
  panels: [
    { title: "KL(teacher ‖ student), nats", series: series(finished, (point) => point.discrepancy) },
    {
      title: "Parameters of the student",
      series: series(finished, (point) => point.parameters),
      height: 120,
      format: "~s"
    }
  ],
  landmarks: Setting.landmarks(finished)
})
