import { RemainingRatio } from "homodistil/pruning"
import { Setting } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both, cell, finished } from "./finished.ts"

const cells = [1, 2].map((d) => [cell(d), cell(d)])

describe("the setting of an experiment", () => {
  it("names scale, steps, batches and seeds", () => {
    assert.equal(Setting.line(both), "micro scale, 400 steps, batches of 16 × 64 pieces, 2 seeds")
  })
  it("names the components that all rows share, and no other", () => {
    assert.match(Setting.shared(both), /ratio cubic\(final: 0\.25/)
    assert.notMatch(Setting.shared(both), /scorer/)
    assert.equal(Setting.shared(both, ["scorer"]), "")
  })
  it("marks the end of pruning only where it is the same in all rows", () => {
    const plans = finished(cells).rows.map(({ row, cells: runs }, i) => ({
      row: { ...row, plan: { ...row.plan, ratio: RemainingRatio.cubic({ final: 0.25, end: [0.3, 0.7][i] ?? 1 }) } },
      cells: runs
    }))
    assert.deepEqual(Setting.landmarks({ ...both, rows: plans }), [])
    assert.deepEqual(Setting.landmarks({ ...both, rows: plans.slice(0, 1) }), [{ step: 120, label: "pruning ends" }])
  })
})
