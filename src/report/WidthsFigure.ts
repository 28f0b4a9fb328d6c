import type { Cell, Runner } from "../experiment/index.ts"
import type { LineFigure, Panel, Point, Series } from "./LineFigure.ts"
import * as Setting from "./Setting.ts"

/** What the axes of a name are called together: those of all layers share one name, `layer.3.ffn` and `layer.0.ffn` are `ffn`. */
const kindOf = (axis: string): string => axis.replace(/^layer\.\d+\./, "")

const titles: { readonly [kind: string]: string } = {
  hidden: "hidden",
  ffn: "feed-forward",
  qk: "query, key",
  vo: "value, output"
}

/** The last change of a run's shape before a step. */
const at = (path: ReadonlyArray<Cell.Shape>, step: number): Cell.Shape | undefined =>
  path.findLast((shape) => shape.step <= step)

/** What each shape of the runs gives, over the steps at which any of them changes, and the last one. */
const pointsOf = (
  cells: ReadonlyArray<Cell.Measured>,
  lastStep: number,
  values: (shape: Cell.Shape) => ReadonlyArray<number>
): ReadonlyArray<Point> =>
  [...new Set([...cells.flatMap(({ path }) => path.map(({ step }) => step)), lastStep])]
    .toSorted((a, b) => a - b)
    .map((step) => ({
      step,
      values: cells.flatMap(({ path }) => {
        const shape = at(path, step)
        return shape === undefined ? [] : values(shape)
      })
    }))

/** Lines that lie on each other are one, with the names of all. */
const merged = (series: ReadonlyArray<Series>): ReadonlyArray<Series> =>
  [...Map.groupBy(series, ({ points }) => JSON.stringify(points)).values()].flatMap((alike) => {
    const [first] = alike
    return first === undefined ? [] : [{ ...first, name: alike.map(({ name }) => name).join("; ") }]
  })

/**
 * How wide every prunable axis is over the steps (paper, Fig. 2); axes of one kind are averaged over layers and seeds, with the range between
 * the narrowest and the widest.
 *
 * Of one row, a panel for each kind of axis, in units, and one for the parameters. Of several, a panel for each row, in % of the teacher's widths,
 * which are the widest there are of an axis in the experiment.
 */
export const of = (finished: Runner.Finished): LineFigure => {
  const cells = finished.rows.flatMap((each) => each.cells)
  const lastStep = Math.max(1, ...cells.flatMap(({ curve, path }) => [...curve, ...path].map(({ step }) => step)))
  const whole: { [axis: string]: number } = {}
  for (const { path } of cells)
    for (const { widths } of path)
      for (const [axis, width] of Object.entries(widths)) whole[axis] = Math.max(width, whole[axis] ?? 0)
  const kinds = [...Map.groupBy(Object.keys(whole), kindOf)]
  const series = (runs: ReadonlyArray<Cell.Measured>, of: (width: number, axis: string) => number) =>
    kinds.map(([kind, axes]) => ({
      name: titles[kind] ?? kind,
      points: pointsOf(runs, lastStep, ({ widths }) =>
        axes.flatMap((axis) => {
          const width = widths[axis]
          return width === undefined ? [] : [of(width, axis)]
        })
      )
    }))
  const ofOneRow = (): ReadonlyArray<Panel> => [
    ...series(cells, (width) => width).map((one) => ({
      title: "Units",
      heading: one.name,
      series: [one],
      height: 110
    })),
    {
      title: "Parameters",
      heading: "parameters",
      series: [{ name: "parameters", points: pointsOf(cells, lastStep, ({ parameters }) => [parameters]) }],
      height: 110,
      format: "~s"
    }
  ]
  const ofRows = (): ReadonlyArray<Panel> =>
    finished.rows.map(({ row, cells: runs }) => ({
      title: "Width left, %",
      heading: Setting.rowName(row),
      series: merged(series(runs, (width, axis) => (100 * width) / (whole[axis] ?? width))),
      height: 150,
      top: 100
    }))
  const one = finished.rows.length === 1
  return {
    title: `${finished.experiment.title}: widths`,
    subtitle: Setting.subtitle(
      finished,
      `${one ? "units of an axis" : "width in % of the teacher's"}: mean and range over layers and seeds`
    ),
    join: "steps",
    spread: "range",
    landmarks: Setting.landmarks(finished),
    panels: one ? ofOneRow() : ofRows()
  }
}
