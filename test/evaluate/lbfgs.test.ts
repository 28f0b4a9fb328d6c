import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { minimise } from "../../src/evaluate/lbfgs.ts"

const options = { iterations: 200, tolerance: 1e-8 }

describe("minimise", () => {
  it("finds the minimum of a stretched bowl", () => {
    const scales = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(scales, (scale) => {
        // Σ sᵢ (xᵢ - i)²
        const found = Effect.runSync(
          minimise(
            (x) =>
              Effect.succeed({
                value: x.reduce((sum, each, i) => sum + (scale[i] ?? 0) * (each - i) ** 2, 0),
                gradient: x.map((each, i) => 2 * (scale[i] ?? 0) * (each - i))
              }),
            new Float64Array(scale.length),
            options
          )
        )
        assert.isAtMost(found.slope, 1e-8)
        found.at.forEach((x, i) => assert.closeTo(x, i, 1e-5))
      })
    )
  })

  it("never ends above its start, and says how far it came", () => {
    // log-sum-exp is convex with a minimum at 0 where its arguments balance
    const f = (x: Float64Array) => {
      const [a = 0, b = 0] = x
      const [p, m] = [Math.exp(a + 2 * b), Math.exp(-a)]
      const q = Math.exp(-2 * b)
      return Effect.succeed({
        value: Math.log(p + m + q),
        gradient: Float64Array.of((p - m) / (p + m + q), (2 * p - 2 * q) / (p + m + q))
      })
    }
    const found = Effect.runSync(minimise(f, Float64Array.of(3, -2), options))
    assert.isAtMost(found.slope, 1e-8)
    assert.closeTo(found.value, Math.log(3), 1e-9)
    const cut = Effect.runSync(minimise(f, Float64Array.of(3, -2), { ...options, iterations: 2 }))
    assert.strictEqual(cut.iterations, 2)
    assert.isAbove(cut.slope, 1e-8)
  })

  it("ends at once where the value is no number", () => {
    const f = (x: Float64Array) => Effect.succeed({ value: Number.NaN, gradient: x })
    assert.isNaN(Effect.runSync(minimise(f, Float64Array.of(1), options)).value)
  })
})
