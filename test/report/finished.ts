import * as Effect from "effect/Effect"
import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { type CellResult, Experiment, ExperimentRows, type Runner, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"

/** An experiment of two rows that measures little. */
export const experiment = Experiment.make({
  name: "two",
  title: "Two scorers",
  method: Method.homoDistil(),
  vary: { scorer: [Scorer.magnitude(), Scorer.platon()].map(Scorer.layer) },
  measure: [Measure.parameters(), Measure.curve()],
  trajectory: { points: 1, measure: [Measure.parameters()] },
  seeds: 2,
  baseline: "magnitude",
  labels: { platon: "PLATON" }
})

/** A cell of ten steps from a teacher of 400 numbers to a student of 100. */
export const cell = (discrepancy: number, diverged?: string): CellResult => ({
  key: `k${discrepancy}`,
  spec: {},
  ...(diverged === undefined ? {} : { diverged }),
  measures:
    diverged === undefined ? { parameters: 100, "curve.final": discrepancy, "curve.area": 2, "curve.peak": 3 } : {},
  curve: [
    { step: 0, discrepancy: 0, parameters: 400 },
    { step: 10, discrepancy, parameters: 100 }
  ],
  path: [
    { step: 0, widths: { hidden: 8, "layer.0.ffn": 16, "layer.1.ffn": 16 }, parameters: 400 },
    { step: 10, widths: { hidden: 2, "layer.0.ffn": 4, "layer.1.ffn": 8 }, parameters: 100 }
  ],
  trajectory: [{ step: 0, parameters: 400, measures: { parameters: 400 } }],
  provenance: {
    seconds: 1,
    trainSeconds: 1,
    finished: "2026-01-01T00:00:00Z",
    resumed: 0,
    node: "",
    platform: "",
    cpu: "",
    cores: 1,
    version: "",
    packages: {},
    git: null
  }
})

/** An experiment whose cells are these, row by row. */
export const finished = (cells: ReadonlyArray<ReadonlyArray<CellResult>>, of = experiment): Runner.Finished => ({
  experiment: of,
  scale: Scale.micro,
  seeds: [0, 1],
  rows: Effect.runSync(ExperimentRows.of(of, Scale.micro)).map((row, i) => ({ row, cells: cells[i] ?? [] }))
})

/** The experiment with two seeds a row. */
export const both = finished([
  [cell(1.5), cell(1.7)],
  [cell(1.2), cell(1.3)]
])
