import * as Layer from "effect/Layer"
import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Experiment } from "homodistil/experiment"
import * as Loss from "homodistil/loss"
import { ExperimentReport, Legend } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both, cell, experiment, finished } from "./finished.ts"

describe("the report of an experiment", () => {
  it("has a row a method and a column a number, paired against the baseline", () => {
    const table = ExperimentReport.table(both, { provenance: ["command"], href: (key) => `cells/${key}` })
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
    assert.deepEqual(table.rows[1]?.runs, [
      { key: "k1.2", href: "cells/k1.2" },
      { key: "k1.3", href: "cells/k1.3" }
    ])
  })

  it("says once what is to be known of the columns it shows, and nothing of others", () => {
    const measure = [...experiment.measure, Measure.span()]
    const notes = (columns: ReadonlyArray<string>) =>
      ExperimentReport.table({ ...both, experiment: { ...experiment, measure, columns } }).notes.filter((note) =>
        note.includes("noun phrase")
      )
    assert.lengthOf(notes(["span.exact", "span.f1", "curve.final"]), 1)
    assert.lengthOf(notes(["curve.final"]), 0)
  })

  it("shows a diverged cell as missing, with the reason", () => {
    const table = ExperimentReport.table(
      finished([
        [cell(1.5), cell(1.7)],
        [cell(1.2), cell(0, "the loss became NaN at step 3")]
      ])
    )
    const shown = table.rows[1]?.cells[1]
    assert.deepEqual(shown?.values, [1.2, null])
    assert.deepEqual(Legend.absent(table), ["PLATON: 1 of 2 seeds; 1 diverged: seed 1, the loss became NaN at step 3."])
  })

  it("shows the columns asked for, in that order, and figures from elsewhere beside them", () => {
    const published = { source: "elsewhere", rows: { PLATON: { "curve.peak": 9 } } }
    const of = Experiment.make({ ...experiment, columns: ["curve.peak", "parameters"] })
    const table = ExperimentReport.table(
      finished(
        [
          [cell(1), cell(2)],
          [cell(1), cell(2)]
        ],
        of
      ),
      { published }
    )
    assert.deepEqual(
      table.columns.map(({ id }) => id),
      ["curve.peak", "parameters"]
    )
    assert.equal(table.rows[1]?.cells[0]?.published, 9)
    assert.equal(table.publishedSource, "elsewhere")
  })

  it("keeps groups of methods apart, each with its baseline, and says only what they have in common", () => {
    const methods = {
      one: Method.homoDistil(),
      two: Layer.merge(Method.homoDistil(), Loss.layer(Loss.homoDistil({ attention: 0 })))
    }
    const { vary: _, ...rest } = experiment
    const of = Experiment.make({ ...rest, method: { small: methods, large: methods }, baseline: "one", labels: {} })
    const cells = [1, 2, 3, 4].map((d) => [cell(d), cell(d + 0.5)])
    const table = ExperimentReport.table(finished(cells, of))
    assert.deepEqual(
      table.rows.map(({ group, baseline }) => [group, baseline]),
      [
        ["small", true],
        ["small", false],
        ["large", true],
        ["large", false]
      ]
    )
    const common = table.notes.find((note) => note.startsWith("All rows")) ?? ""
    assert.match(common, /scorer platon/)
    assert.notMatch(common, /loss /)
  })

  it("has a table and the pictures asked for, without those that would be empty", () => {
    const all = Experiment.make({ ...experiment, figures: ["discrepancy", "path", "widths", "trajectory"] })
    const cells = [
      [cell(1.5), cell(1.7)],
      [cell(1.2), cell(1.3)]
    ]
    const report = ExperimentReport.report(finished(cells, all))
    assert.equal(report.table?.title, "Two scorers")
    assert.deepEqual(Object.keys(report.figures ?? {}), ["discrepancy", "path", "widths", "trajectory"])
    assert.deepEqual(Object.keys(ExperimentReport.figures(both)), ["discrepancy"])
    const { trajectory: _, ...without } = all
    assert.notProperty(ExperimentReport.figures(finished(cells, without)), "trajectory")
    assert.notProperty(ExperimentReport.report(finished(cells, { ...all, columns: [] })), "table")
  })
})
