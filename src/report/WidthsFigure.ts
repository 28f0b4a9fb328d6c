import type { Cell, Runner } from "../experiment/index.ts"
import type { LineFigure, Series } from "./LineFigure.ts"
import * as Setting from "./Setting.ts"

/** What the axes of a name are called together: those of all layers share one name, `layer.3.ffn` and `layer.0.ffn` are `ffn`. */
const kindOf = (axis: string): string => axis.replace(/^layer\.\d+\./, "")

const titles: { readonly [kind: string]: string } = {
  hidden: "hidden",
  ffn: "feed-forward",
  qk: "query, key",
  vo: "value, output"
}

/** The widths of a run at a step: those of the last change before it. */
const at = (path: ReadonlyArray<Cell.Shape>, step: number): Cell.Shape["widths"] =>
  path.findLast((shape) => shape.step <= step)?.widths ?? {}

const seriesOf = (
  cells: ReadonlyArray<Cell.Measured>,
  whole: { readonly [axis: string]: number },
  lastStep: number
): ReadonlyArray<Series> => {
  const steps = [...new Set([...cells.flatMap(({ path }) => path.map(({ step }) => step)), lastStep])]
  const kinds = Map.groupBy(Object.keys(whole), kindOf)
  return [...kinds].map(([kind, axes]) => ({
    name: titles[kind] ?? kind,
    points: steps
      .toSorted((a, b) => a - b)
      .map((step) => ({
        step,
        values: cells.flatMap(({ path }) => {
          const widths = at(path, step)
          return axes.flatMap((axis) => {
            const width = widths[axis]
            return width === undefined ? [] : [(100 * width) / (whole[axis] ?? width)]
          })
        })
      }))
  }))
}

/**
 * How wide every prunable axis is over the steps, in % of the teacher's (paper, Fig. 2): a panel for each row; axes of one kind are averaged
 * over layers and seeds, with the range between the narrowest and the widest.
 *
 * The whole is the widest there is of an axis in the experiment, which is the teacher's where a student starts as its copy.
 */
export const of = (finished: Runner.Finished): LineFigure => {
  const cells = finished.rows.flatMap((each) => each.cells)
  const lastStep = Math.max(1, ...cells.flatMap(({ curve, path }) => [...curve, ...path].map(({ step }) => step)))
  const whole: { [axis: string]: number } = {}
  for (const { path } of cells)
    for (const { widths } of path)
      for (const [axis, width] of Object.entries(widths)) whole[axis] = Math.max(width, whole[axis] ?? 0)
  return {
    title: `${finished.experiment.title}: widths`,
    subtitle: Setting.subtitle(finished, "width in % of the teacher's: mean and range over layers and seeds"),
    join: "steps",
    spread: "range",
    landmarks: Setting.landmarks(finished),
    panels: finished.rows.map(({ row, cells: runs }) => ({
      title: "Width left, %",
      heading: Setting.rowName(row),
      series: seriesOf(runs, whole, lastStep),
      height: finished.rows.length > 1 ? 150 : 300,
      top: 100
    }))
  }
}
