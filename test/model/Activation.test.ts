import { assert, describe, it } from "@effect/vitest"
import { evaluate, Tensor } from "homodistil/backend"
import { Activation } from "homodistil/model"
import { gelu, geluTanh, swish } from "../gelu.ts"

const plain: { readonly [name in Activation.Activation | "gelu"]: (x: number) => number } = {
  gelu,
  gelu_new: geluTanh,
  quick_gelu: swish(1.702),
  relu: (x) => (x > 0 ? x : 0),
  silu: swish(1),
  tanh: (x) => 1 - 2 / (1 + Math.exp(2 * x))
}

describe("apply", () => {
  const numbers = Array.from({ length: 81 }, (_, i) => (i - 40) / 5)

  it.each([undefined, ...Activation.activations])("%s is what its definition says", async (name) => {
    const made = await evaluate((x) => Activation.apply(x, name), Tensor.host(numbers))
    const expected = numbers.map(plain[name ?? "gelu"])
    for (const [i, x] of made.data.entries()) assert.approximately(x, expected[i] ?? NaN, 2e-6)
  })

  it("differ from each other", () => {
    const at = Object.values(plain).map((f) => f(1.3).toFixed(5))
    assert.strictEqual(new Set(at).size, 6)
  })
})
