import * as Effect from "effect/Effect"
import { LineFigure, Svg, TrajectoryFigure } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both } from "./finished.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

describe("TrajectoryFigure", () => {
  it("draws what was measured on the way, closed by the value at the end", () => {
    const figure = TrajectoryFigure.of(both)
    assert.deepEqual(
      figure.panels.map(({ heading }) => heading),
      ["Parameters"]
    )
    assert.deepEqual(figure.panels[0]?.series[1]?.points, [
      { step: 0, values: [400, 400] },
      { step: 400, values: [100, 100] }
    ])
  })

  it("writes no text over another", async () => {
    const boxes = textBoxes(await Effect.runPromise(Svg.render(LineFigure.spec(TrajectoryFigure.of(both)))))
    assert.isAbove(boxes.length, 5)
    assert.deepEqual(overlaps(boxes), [])
  })
})
