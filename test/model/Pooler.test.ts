import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { Pooler } from "homodistil/model"
import { config } from "./tiny.ts"

const numbers = (shape: ReadonlyArray<number>) =>
  Tensor.host(
    Array.from({ length: Tensor.elements(shape) }, (_, i) => i),
    shape
  )

describe("a pooler", () => {
  it("has the shapes and as many numbers as a dense layer of the hidden width", () => {
    const { hidden } = config
    assert.deepStrictEqual(Object.entries(Pooler.shapes(config)), [
      ["bert.pooler.dense.bias", [hidden]],
      ["bert.pooler.dense.weight", [hidden, hidden]]
    ])
    const all = Object.values(Pooler.shapes(config)).flatMap((shape) => [...numbers(shape).data])
    assert.strictEqual(Pooler.count(config), all.length)
  })

  it("is found among other parameters by its names, and only whole", () => {
    const pooler = { weight: numbers([2, 2]), bias: numbers([2]) }
    const named = Pooler.parameters(pooler)
    assert.deepStrictEqual(Pooler.of({ ...named, "classifier.bias": numbers([3]) }), pooler)
    assert.isUndefined(Pooler.of({ [Pooler.weight]: pooler.weight }))
    assert.isUndefined(Pooler.of({ [Pooler.bias]: pooler.bias }))
    assert.deepStrictEqual(Pooler.parameters(undefined), {})
  })
})
