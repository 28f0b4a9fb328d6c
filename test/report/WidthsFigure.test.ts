import * as Effect from "effect/Effect"
import { LineFigure, Svg, WidthsFigure } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both } from "./finished.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

describe("WidthsFigure", () => {
  it("draws the widths: axes of one kind together, in % of the widest, held to the last step", () => {
    const figure = WidthsFigure.of(both)
    assert.deepEqual(
      figure.panels.map(({ heading }) => heading),
      ["magnitude", "PLATON"]
    )
    assert.deepEqual(figure.panels[0]?.series, [
      {
        name: "hidden",
        points: [
          { step: 0, values: [100, 100] },
          { step: 10, values: [25, 25] }
        ]
      },
      {
        name: "feed-forward",
        points: [
          { step: 0, values: [100, 100, 100, 100] },
          { step: 10, values: [25, 50, 25, 50] }
        ]
      }
    ])
  })

  it("writes no text over another", async () => {
    const boxes = textBoxes(await Effect.runPromise(Svg.render(LineFigure.spec(WidthsFigure.of(both)))))
    assert.isAbove(boxes.length, 5)
    assert.deepEqual(overlaps(boxes), [])
  })
})
