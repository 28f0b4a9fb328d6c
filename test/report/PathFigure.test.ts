import * as Effect from "effect/Effect"
import { LineFigure, PathFigure, Svg } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both } from "./finished.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

describe("PathFigure", () => {
  it("draws the path: discrepancy against the share of parameters left", () => {
    const figure = PathFigure.of(both)
    assert.deepEqual(figure.across, { title: "Parameters left, % of the teacher's", from: 100, to: 25 })
    assert.deepEqual(figure.panels[0]?.series[0]?.points, [
      { step: 0, x: 100, values: [0, 0] },
      { step: 10, x: 25, values: [1.5, 1.7] }
    ])
  })

  it("writes no text over another", async () => {
    const boxes = textBoxes(await Effect.runPromise(Svg.render(LineFigure.spec(PathFigure.of(both)))))
    assert.isAbove(boxes.length, 5)
    assert.deepEqual(overlaps(boxes), [])
  })
})
