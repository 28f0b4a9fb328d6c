import { assert, describe, it } from "@effect/vitest"
import { evaluate, Tensor, tf } from "homodistil/backend"
import { overLayers } from "homodistil/loss"

const two = [Tensor.scalar(1), Tensor.scalar(5)]
const over = (reduce: "mean" | "sum") =>
  evaluate((...layers) => overLayers(layers, layers, reduce, (a, b, layer) => tf.mul(tf.add(a, b), layer + 1)), ...two)

describe("overLayers", () => {
  it("adds up or averages what the layers give, told which one it is", async () => {
    assert.deepStrictEqual([...(await over("sum")).data], [2 + 20])
    assert.deepStrictEqual([...(await over("mean")).data], [11])
  })

  it("refuses a student of another depth", async () => {
    const lopsided = evaluate((...layers) => overLayers(layers, layers.slice(1), "sum", tf.add), ...two)
    assert.match(await lopsided.then(String, String), /one to one: the student has 2, the teacher 1/)
  })
})
