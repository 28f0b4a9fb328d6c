import * as Effect from "effect/Effect"
import { Method } from "homodistil/distill"
import { type CellResult, Experiment } from "homodistil/experiment"
import { LineFigure, Svg, WidthsFigure } from "homodistil/report"
import { assert, describe, it } from "vitest"
import { both, cell, experiment, finished } from "./finished.ts"
import { overlaps, textBoxes } from "./textBoxes.ts"

/** One row with two seeds. */
const single = finished(
  [[cell(1.5), cell(1.7)]],
  Experiment.make({
    name: "one",
    title: "One method",
    method: { homoDistil: Method.homoDistil() },
    measure: experiment.measure,
    seeds: 2,
    baseline: "homoDistil"
  })
)

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

  it("draws one row in units, a panel for each kind of axis, and its parameters", () => {
    const figure = WidthsFigure.of(single)
    assert.deepEqual(
      figure.panels.map(({ heading, series }) => [heading, series[0]?.points.at(-1)?.values]),
      [
        ["hidden", [2, 2]],
        ["feed-forward", [4, 8, 4, 8]],
        ["parameters", [100, 100]]
      ]
    )
  })

  it("names lines that lie on each other together", () => {
    const alike = (value: CellResult): CellResult => ({
      ...value,
      path: value.path.map((shape) => ({
        ...shape,
        widths: { hidden: shape.widths["hidden"] ?? 0, "layer.0.ffn": 4 * (shape.widths["hidden"] ?? 0) }
      }))
    })
    const figure = WidthsFigure.of(finished([[alike(cell(1.5))], [alike(cell(1.2))]]))
    assert.deepEqual(
      figure.panels.map(({ series }) => series.map(({ name }) => name)),
      [["hidden; feed-forward"], ["hidden; feed-forward"]]
    )
  })

  it.each([both, single])("writes no text over another", async (of) => {
    const boxes = textBoxes(await Effect.runPromise(Svg.render(LineFigure.spec(WidthsFigure.of(of)))))
    assert.isAbove(boxes.length, 5)
    assert.deepEqual(overlaps(boxes), [])
  })
})
