import type { Cell, Runner } from "../experiment/index.ts"
import type { LineFigure, Point } from "./LineFigure.ts"
import * as Setting from "./Setting.ts"

/** The points of a row by step: discrepancy against the share of parameters left, in %, both over its seeds. */
const pointsOf = (cells: ReadonlyArray<Cell.Measured>, teacher: number): ReadonlyArray<Point> => {
  const bySteps = Map.groupBy(
    cells.flatMap(({ curve }) => curve),
    ({ step }) => step
  )
  return [...bySteps]
    .toSorted(([a], [b]) => a - b)
    .map(([step, points]) => ({
      step,
      x: (100 * points.reduce((sum, { parameters }) => sum + parameters, 0)) / points.length / teacher,
      values: points.map(({ discrepancy }) => discrepancy)
    }))
}

/**
 * The path of each row from teacher to target (paper, Fig. 1): the discrepancy against the parameters left, from all of them on the left to
 * the final size on the right; beside the right edge, from arrival at that size to the end of training.
 *
 * The whole is the largest student there is in the experiment, which is the teacher where one starts as its copy. A row that
 * starts at its final size has only its arrival and its end.
 */
export const of = (finished: Runner.Finished): LineFigure => {
  const sizes = finished.rows.flatMap(({ cells }) => cells.flatMap(({ curve }) => curve.map((p) => p.parameters)))
  const teacher = Math.max(1, ...sizes)
  const series = finished.rows.map(({ row, cells }) => ({
    name: Setting.rowName(row),
    points: pointsOf(cells, teacher)
  }))
  const least = Math.min(100, ...series.flatMap(({ points }) => points.map(({ x = 100 }) => x)))
  return {
    title: `${finished.experiment.title}: the path to the final size`,
    subtitle: Setting.subtitle(
      finished,
      "mean and 95 % interval over seeds; ring: arrival at the final size, diamond: end of training"
    ),
    across: { title: "Parameters left, % of the teacher's", from: 100, to: least < 100 ? least : 0 },
    join: "path",
    panels: [{ title: "KL(teacher ‖ student), nats", series, height: 340 }]
  }
}
