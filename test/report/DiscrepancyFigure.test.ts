import * as Effect from "effect/Effect"
import { StudentInit } from "homodistil/distill"
import { Experiment } from "homodistil/experiment"
import { DiscrepancyFigure, LineFigure, Svg } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both, cell, experiment, finished } from "./finished.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

describe("DiscrepancyFigure", () => {
  it("draws the discrepancy and the size over the steps, and where pruning ends", () => {
    const figure = DiscrepancyFigure.of(both)
    assert.deepEqual(figure.panels[0]?.series[1], {
      name: "PLATON",
      points: [
        { step: 0, values: [0, 0] },
        { step: 10, values: [1.2, 1.3] }
      ]
    })
    assert.deepEqual(figure.panels[1]?.series[0]?.points[1]?.values, [100, 100])
    assert.deepEqual(figure.landmarks, [{ step: 120, label: "pruning ends" }])
    assert.isBelow(Math.max(...figure.subtitle.map(({ length }) => length)), 120)
  })

  it("marks no end of pruning where no row is pruned while it trains", () => {
    const random = Experiment.make({
      ...experiment,
      vary: { student: [StudentInit.layer(StudentInit.random)] },
      baseline: "random"
    })
    assert.deepEqual(DiscrepancyFigure.of(finished([[cell(1)]], random)).landmarks, [])
  })

  it("writes no text over another", async () => {
    const boxes = textBoxes(await Effect.runPromise(Svg.render(LineFigure.spec(DiscrepancyFigure.of(both)))))
    assert.isAbove(boxes.length, 5)
    assert.deepEqual(overlaps(boxes), [])
  })
})
