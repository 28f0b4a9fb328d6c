import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor, tf } from "homodistil/backend"
import { adamW, adamWDefaults } from "homodistil/optimizer"
import { ConfigError, Seed } from "homodistil/spec"
import pytorch from "./fixtures/adamW-pytorch.json" with { type: "json" }
import { engines, on, train } from "./steps.ts"

type Numbers = ArrayLike<number>

/** One weight under AdamW by its definition, in double precision, for the gradients of the steps so far. */
const moved = (
  start: number,
  gradients: ReadonlyArray<number>,
  rates: Numbers,
  o: typeof adamWDefaults,
  decay: number
): number => {
  let [w, m, v] = [start, 0, 0]
  gradients.forEach((g, i) => {
    const rate = rates[i] ?? Number.NaN
    m = o.beta1 * m + (1 - o.beta1) * g
    v = o.beta2 * v + (1 - o.beta2) * g * g
    const [mHat, vHat] = [m / (1 - o.beta1 ** (i + 1)), v / (1 - o.beta2 ** (i + 1))]
    w = w - rate * decay * w - (rate * mHat) / (Math.sqrt(vHat) + o.epsilon)
  })
  return w
}

const near = (values: Numbers | undefined, expected: Numbers, tolerance: number, what: string): void => {
  assert.strictEqual(values?.length, expected.length, what)
  Array.from(values ?? []).forEach((v, i) =>
    assert.closeTo(v, expected[i] ?? Number.NaN, tolerance * (1 + Math.abs(expected[i] ?? 0)), `${what}[${i}]`)
  )
}

describe("AdamW", () => {
  it("moves weights as the plain loop does, matrices with decay and vectors without", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.record({
          beta1: fc.constantFrom(0, 0.5, 0.9),
          beta2: fc.constantFrom(0.5, 0.98, 0.999),
          epsilon: fc.constantFrom(1e-8, 1e-3),
          weightDecay: fc.constantFrom(0, 0.1)
        }),
        async (n, some) => {
          const o = { ...some, clipNorm: Infinity }
          const draw = (name: string, count: number) => Array.from(Seed.normals(Seed.child(Seed.make(n), name), count))
          const rates = [0.1, 0.05, 0.2, 0.01, 0.1]
          // a loss that is linear in the weights has the same gradient at every step: its factors
          const [w, b, gw, gb] = [draw("w", 4), draw("b", 2), draw("gw", 4), draw("gb", 2)]
          const params = { w: Tensor.host(w, [2, 2]), b: Tensor.host(b) }
          const inputs = { gw: Tensor.host(gw, [2, 2]), gb: Tensor.host(gb) }
          const loss = (p: { readonly [name: string]: tf.Tensor }, x: { readonly [name: string]: tf.Tensor }) => ({
            total: tf.add(tf.sum(tf.mul(p["w"] ?? 0, x["gw"] ?? 0)), tf.sum(tf.mul(p["b"] ?? 0, x["gb"] ?? 0))),
            terms: {}
          })
          const { state } = await on(engines.onnx, train(params, inputs, adamW(o), rates, { loss }))
          const path = (start: ReadonlyArray<number>, g: ReadonlyArray<number>, decay: number) =>
            start.map((s, i) =>
              moved(
                s,
                rates.map(() => g[i] ?? 0),
                rates,
                o,
                decay
              )
            )
          near(state.params["w"]?.data, path(w, gw, o.weightDecay), 2e-5, "w")
          near(state.params["b"]?.data, path(b, gb, 0), 2e-5, "b")
        }
      ),
      { numRuns: 5 }
    ))

  it.each(["onnx", "cpu"] as const)(
    "moves them as PyTorch does, with clipping and a falling rate (%s)",
    async (engine) => {
      const { x, y, w, b, steps, mean, square } = pytorch
      const params = { w: Tensor.host(w, [2, 3]), b: Tensor.host(b) }
      const inputs = { x: Tensor.host(x, [4, 3]), y: Tensor.host(y, [4, 2]) }
      const rates = steps.map((_, i) => 0.05 / (i + 1))
      const optimizer = adamW({ weightDecay: 0.1, clipNorm: 1 })
      for (const [i, expected] of steps.entries()) {
        const { state, totals } = await on(engines[engine], train(params, inputs, optimizer, rates.slice(0, i + 1)))
        near(totals.slice(-1), [expected.loss], 1e-5, "loss")
        near(state.params["w"]?.data, expected.w, 1e-5, `w after step ${i}`)
        near(state.params["b"]?.data, expected.b, 1e-5, `b after step ${i}`)
        if (i < steps.length - 1) continue
        near(state.moments["mean"]?.["w"]?.data, mean, 1e-5, "mean")
        near(state.moments["square"]?.["w"]?.data, square, 1e-5, "square")
      }
    }
  )

  it("says what it is, and refuses every illegal setting at once", () => {
    assert.deepStrictEqual(adamW({ clipNorm: Infinity }).spec, {
      name: "adamW",
      version: 1,
      options: { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clipNorm: null }
    })
    assert.strictEqual(adamW({ clipNorm: Infinity }).clipNorm, undefined)
    assert.strictEqual(adamW().clipNorm, adamWDefaults.clipNorm)
    const wrong = { beta1: 1, beta2: -0.1, epsilon: 0, weightDecay: -1, clipNorm: 0 }
    const caught = (() => {
      try {
        return adamW(wrong)
      } catch (error) {
        return error
      }
    })()
    assert.instanceOf(caught, ConfigError)
    assert.deepStrictEqual(
      caught.problems.map((problem) => problem.key),
      Object.keys(wrong)
    )
    assert.throws(() => adamW({ beta1: Number.NaN }), ConfigError)
  })
})
