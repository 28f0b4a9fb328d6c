import { evaluate, Tensor } from "homodistil/backend"
import { Projection } from "homodistil/distill"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"

const names = (projection: Projection.Projection, taps: Parameters<typeof Projection.specs>[1]) =>
  Projection.specs(projection, taps, 2).map(({ name }) => name)

describe("projections", () => {
  it("are those the loss needs, one a layer or one for all", () => {
    assert.deepEqual(names(Projection.make(), ["hidden", "embedding", "logits"]), [
      "projection.embedding.weight",
      "projection.layer.0.weight",
      "projection.layer.1.weight"
    ])
    assert.deepEqual(names(Projection.make({ shared: true }), ["hidden", "embedding"]), ["projection.weight"])
    assert.deepEqual(names(Projection.make(), ["logits"]), [])
  })

  it("are nothing where there are none: states are compared as they are", async () => {
    assert.deepEqual(Projection.specs(Projection.none, ["hidden", "embedding"], 2), [])
    const states = Tensor.host([1, 2, 3, 4], [2, 2])
    const same = await evaluate((x) => Projection.apply(Projection.none, {}).hidden(x, 1), states)
    assert.deepEqual([...same.data], [...states.data])
  })

  it("start as the identity between equal widths, else random with unit variance of their outputs", async () => {
    const specs = Projection.specs(Projection.make(), ["embedding"], 2)
    const identity = Projection.initialise(Projection.make(), specs, 3, 3, Seed.make(0))
    const weight = identity["projection.embedding.weight"]
    assert.ok(weight !== undefined)
    const states = Tensor.host([1, 2, 3, -4, 5, 6], [2, 3])
    const same = await evaluate(
      (x, w = x) => Projection.apply(Projection.make(), { "projection.embedding.weight": w }).embedding(x),
      states,
      weight
    )
    assert.deepEqual([...same.data], [...states.data])
    const random = Projection.initialise(Projection.make(), specs, 32, 128, Seed.make(0))["projection.embedding.weight"]
    const square = [...(random?.data ?? [])].reduce((sum, x) => sum + x * x, 0) / (32 * 128)
    assert.approximately(square, 1 / 32, 0.003)
    assert.deepEqual(random?.shape, [32, 128])
  })
})
