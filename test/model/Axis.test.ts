import { assert, describe, it } from "@effect/vitest"
import { Axis, BertConfig } from "homodistil/model"

describe("axes", () => {
  it("keep their order, and take new sizes without losing it", () => {
    const axes = BertConfig.axes(BertConfig.micro)
    assert.deepStrictEqual([...axes.keys()].slice(0, 4), ["vocab", "position", "type", Axis.hidden])
    const resized = Axis.resize(axes, new Map([[Axis.ofLayer(2, "vo"), 64]]))
    assert.deepStrictEqual([...resized.keys()], [...axes.keys()])
    assert.deepStrictEqual(Axis.get(resized, "layer.2.vo"), { id: "layer.2.vo", size: 64, blocks: 4, prunable: true })
    assert.notInclude(
      Axis.prunable(axes).map((axis) => axis.id),
      Axis.teacherHidden
    )
  })
})
