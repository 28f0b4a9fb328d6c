import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Tensor } from "homodistil/backend"
import { Axis } from "homodistil/model"
import { PrunePlan, ShapeError } from "homodistil/pruning"

const far = PrunePlan.of({ hidden: [0, 7] })

describe("PrunePlan", () => {
  it("refuses tensors and axes it was not made for", () => {
    const fits = /axis hidden: expected more than 7 units, got 6/
    assert.throws(() => PrunePlan.cut(Tensor.host([1, 2, 3, 4, 5, 6]), ["hidden"], far), ShapeError, fits)
    assert.throws(() => PrunePlan.cut(Tensor.host([1]), ["vocab", "hidden"], far), /expected rank 2, got rank 1/)
    const axes = Axis.of([{ id: "hidden", size: 6, blocks: 1, prunable: true }])
    assert.throws(() => PrunePlan.axesAfter(axes, far), fits)
    assert.throws(() => PrunePlan.mask(far, axes), fits)
    assert.throws(
      () => PrunePlan.compose(PrunePlan.of({ hidden: [1, 2, 3] }), far),
      /expected more than 7 units, got 3/
    )
    assert.throws(() => PrunePlan.cutTree({ lost: Tensor.host([1]) }, [], far), /lost has no axes/)
  })

  it("hands out the same object where nothing goes", () => {
    const x = Tensor.host([1, 2])
    assert.strictEqual(PrunePlan.cut(x, ["hidden"], PrunePlan.of({ hidden: [0, 1], "layer.0.ffn": [0] })), x)
  })

  it.each([
    [{ hidden: [2, 1] }, /plan\.hidden = \[2,1\]: must be rising indices/],
    [{ hidden: [1, 1] }, /rising indices/],
    [{ hidden: [] }, /plan\.hidden/],
    [{ hidden: [-1] }, /plan\.hidden\.0 = -1/],
    [{ hidden: [0.5] }, /plan\.hidden\.0 = 0\.5/],
    [{ hidden: "all" }, /plan\.hidden = all/],
    [[1, 2], /plan/]
  ] as const)("refuses %j", (json, message) => {
    const error = Effect.runSync(Effect.flip(PrunePlan.fromJson(json)))
    assert.strictEqual(error._tag, "ConfigError")
    assert.match(error.message, message)
  })
})
