import type { Runner } from "../experiment/index.ts"
import type { LineFigure, Panel, Point } from "./LineFigure.ts"
import * as Setting from "./Setting.ts"

/**
 * What was measured of each row on the way, over the steps (paper, Fig. 4): a panel for each measure, closed by the value at the end.
 *
 * A measure without any value has no panel.
 */
export const of = (finished: Runner.Finished): LineFigure => {
  const { experiment, rows } = finished
  const lastStep = Math.max(1, ...rows.flatMap(({ row }) => row.plan.training.steps))
  const columns = (experiment.trajectory?.measure ?? []).flatMap((measure) => measure.columns)
  const panels = columns.flatMap(({ id, name, unit }): ReadonlyArray<Panel> => {
    const series = rows.map(({ row, cells }) => {
      const found = cells.flatMap(({ trajectory, measures }) => {
        const last = measures[id]
        const way = trajectory.flatMap((point) => {
          const value = point.measures[id]
          return value === undefined ? [] : [{ step: point.step, value }]
        })
        // the end has been measured once already where it is also the last point on the way
        return last === undefined || way.some(({ step }) => step === lastStep)
          ? way
          : [...way, { step: lastStep, value: last }]
      })
      const points = [...Map.groupBy(found, ({ step }) => step)]
        .toSorted(([a], [b]) => a - b)
        .map(([step, values]): Point => ({ step, values: values.map(({ value }) => value) }))
      return { name: Setting.rowName(row), points }
    })
    const title = unit === undefined ? name : `${name} (${unit})`
    return series.every(({ points }) => points.length === 0)
      ? []
      : [{ title: "", heading: title, series, height: 150, zero: false }]
  })
  return {
    title: `${experiment.title}: measured on the way`,
    subtitle: Setting.subtitle(finished, "mean and 95 % interval over seeds"),
    landmarks: Setting.landmarks(finished),
    panels
  }
}
