import type { Experiment, Runner } from "../experiment/index.ts"
import * as DiscrepancyFigure from "./DiscrepancyFigure.ts"
import type { LineFigure } from "./LineFigure.ts"
import * as PathFigure from "./PathFigure.ts"
import type { Report } from "./Report.ts"
import * as Setting from "./Setting.ts"
import * as Table from "./Table.ts"
import * as TrajectoryFigure from "./TrajectoryFigure.ts"
import * as WidthsFigure from "./WidthsFigure.ts"

/** What a report says besides what was measured. */
export interface ReportOptions {
  /** Where the numbers come from: command, version, digests; one line each. */
  readonly provenance?: ReadonlyArray<string>
  /** Figures from elsewhere for this experiment. */
  readonly published?: Table.Published
  /** Where a cell lies, by its key, relative to the report. */
  readonly href?: (key: string) => string
}

const rowHeader = ({ experiment }: Runner.Finished): string => {
  const varied = Object.keys(experiment.vary ?? {})
  return experiment.rowHeader ?? (varied.length === 0 ? "method" : varied.join(" · "))
}

/**
 * The columns that an experiment shows, in the order it measures them, or the one it asks for.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * import { ExperimentReport } from "homodistil/report"
 * const measure = [Measure.curve(), Measure.parameters()]
 * const columns = ExperimentReport.columns({ measure, columns: ["parameters", "curve.final"] })
 * assert.deepEqual(columns.map(({ id }) => id), ["parameters", "curve.final"])
 * ```
 */
export const columns = ({
  measure,
  columns: asked
}: Pick<Experiment.ExperimentOptions, "measure" | "columns">): ReadonlyArray<Table.Column> => {
  const all = measure.flatMap((each) => each.columns)
  return asked === undefined ? all : asked.flatMap((id) => all.find((column) => column.id === id) ?? [])
}

/**
 * The table of a finished experiment: one row a method, one column a measure, paired by seed against the baseline of its group.
 *
 * A cell that diverged is shown as missing with the reason, never left out.
 */
export const table = (finished: Runner.Finished, options: ReportOptions = {}): Table.Table => {
  const { experiment, seeds, rows } = finished
  const shown = columns(experiment)
  const trained = withoutReferences(finished)
  const common = Setting.shared(trained)
  return Table.make({
    title: experiment.title,
    caption: `${Setting.line(trained)}; mean ± half-width of the 95 % t-interval; differences paired by seed, t-test, Holm`,
    rowHeader: rowHeader(finished),
    columns: shown,
    seeds,
    rows: rows.map(({ row, cells }) => ({
      name: row.label,
      baseline: row.baseline,
      reference: row.reference,
      ...(row.group === undefined ? {} : { group: row.group }),
      runs: cells.map(({ key, diverged }) => ({
        key,
        ...(options.href === undefined ? {} : { href: options.href(key) }),
        ...(diverged === undefined ? {} : { diverged })
      })),
      cells: Object.fromEntries(
        shown.map(({ id }) => [id, { values: cells.map(({ measures }) => measures[id] ?? null) }])
      )
    })),
    ...(options.published === undefined ? {} : { published: options.published }),
    notes: [
      ...(experiment.notes ?? []),
      ...new Set(shown.flatMap(({ note }) => (note === undefined ? [] : [note]))),
      ...(common === "" ? [] : [`All rows: ${common}.`])
    ],
    provenance: options.provenance ?? []
  })
}

/** A finished experiment without its rows for reference, which are in no setting and on no path. */
const withoutReferences = (finished: Runner.Finished): Runner.Finished => ({
  ...finished,
  rows: finished.rows.filter(({ row }) => !row.reference)
})

const draw: { readonly [F in Experiment.Figure]: (finished: Runner.Finished) => LineFigure } = {
  discrepancy: DiscrepancyFigure.of,
  path: PathFigure.of,
  widths: WidthsFigure.of,
  trajectory: TrajectoryFigure.of
}

/** The pictures an experiment asks for, by name; the discrepancy over the steps unless it says otherwise. One without data is left out. */
export const figures = (finished: Runner.Finished): { readonly [name: string]: LineFigure } => {
  const trained = withoutReferences(finished)
  return Object.fromEntries(
    (finished.experiment.figures ?? (["discrepancy"] as const)).flatMap((name) => {
      const figure = draw[name](trained)
      return figure.panels.some(({ series }) => series.some(({ points }) => points.length > 0)) ? [[name, figure]] : []
    })
  )
}

/** The whole report of a finished experiment: its table, where it shows any column, and its pictures. */
export const report = (finished: Runner.Finished, options: ReportOptions = {}): Report => ({
  ...(columns(finished.experiment).length === 0 ? {} : { table: table(finished, options) }),
  figures: figures(finished)
})
