import * as Effect from "effect/Effect"
import { Method, StudentInit } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { type CellResult, Experiment, type Runner, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { ExperimentReport } from "homodistil/report"
import { assert, describe, it } from "vitest"

const experiment = Experiment.make({
  name: "two",
  title: "Two scorers",
  method: Method.homoDistil(),
  vary: { scorer: [Scorer.magnitude(), Scorer.platon()].map(Scorer.layer) },
  measure: [Measure.parameters(), Measure.curve()],
  seeds: 2,
  baseline: "magnitude",
  labels: { platon: "PLATON" }
})

const cell = (discrepancy: number, diverged?: string): CellResult => ({
  key: "k",
  spec: {},
  ...(diverged === undefined ? {} : { diverged }),
  measures:
    diverged === undefined ? { parameters: 100, "curve.final": discrepancy, "curve.area": 2, "curve.peak": 3 } : {},
  curve: [
    { step: 0, discrepancy: 0, parameters: 400 },
    { step: 10, discrepancy, parameters: 100 }
  ],
  widths: {},
  provenance: { seconds: 1, trainSeconds: 1, node: "", platform: "", version: "" }
})

const finished = (cells: ReadonlyArray<ReadonlyArray<CellResult>>, of = experiment): Runner.Finished => ({
  experiment: of,
  scale: Scale.micro,
  seeds: [0, 1],
  rows: Effect.runSync(Experiment.rows(of, Scale.micro)).map((row, i) => ({ row, cells: cells[i] ?? [] }))
})

const both = finished([
  [cell(1.5), cell(1.7)],
  [cell(1.2), cell(1.3)]
])

describe("the report of an experiment", () => {
  it("has a row a method and a column a number, paired against the baseline", () => {
    const table = ExperimentReport.table(both, ["command"])
    assert.deepEqual(
      table.rows.map(({ name, baseline }) => [name, baseline]),
      [
        ["magnitude", true],
        ["PLATON", false]
      ]
    )
    assert.deepEqual(
      table.columns.map(({ id }) => id),
      ["parameters", "curve.final", "curve.area", "curve.peak"]
    )
    const difference = table.rows[1]?.cells[1]?.difference
    assert.approximately(difference?.mean ?? 0, -0.35, 1e-9)
    assert.match(table.caption, /micro scale, 400 steps, batches of 16 × 64 pieces, 2 seeds/)
    assert.match(table.notes.join(), /ratio cubic\(final: 0\.25/)
    assert.notMatch(table.notes.join(), /scorer/)
    assert.deepEqual(table.provenance, ["command"])
  })

  it("shows a diverged cell as missing, with the reason", () => {
    const table = ExperimentReport.table(
      finished([
        [cell(1.5), cell(1.7)],
        [cell(1.2), cell(0, "the loss became NaN at step 3")]
      ]),
      []
    )
    const shown = table.rows[1]?.cells[1]
    assert.deepEqual(shown?.values, [1.2, null])
    assert.match(shown?.missing ?? "", /NaN at step 3/)
  })

  it("draws the discrepancy and the size over the steps, and where pruning ends", () => {
    const figure = ExperimentReport.figure(both)
    assert.deepEqual(figure.panels[0]?.series[1], {
      name: "PLATON",
      points: [
        { step: 0, values: [0, 0] },
        { step: 10, values: [1.2, 1.3] }
      ]
    })
    assert.deepEqual(figure.panels[1]?.series[0]?.points[1]?.values, [100, 100])
    assert.deepEqual(figure.landmarks, [{ step: 280, label: "pruning ends" }])
    assert.isBelow(Math.max(...figure.subtitle.map(({ length }) => length)), 120)
  })

  it("marks no end of pruning where no row is pruned while it trains", () => {
    const random = Experiment.make({
      ...experiment,
      vary: { student: [StudentInit.layer(StudentInit.random)] },
      baseline: "random"
    })
    assert.deepEqual(ExperimentReport.figure(finished([[cell(1)]], random)).landmarks, [])
  })
})
