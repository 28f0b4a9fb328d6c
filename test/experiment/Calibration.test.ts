import * as Effect from "effect/Effect"
import { Backend, OnnxBackend } from "homodistil/backend"
import { Calibration } from "homodistil/experiment"
import { assert, describe, it } from "vitest"

describe("Calibration", () => {
  it("gives the rate of each product and the best of them, and leaves nothing alive", async () => {
    const measured = Effect.gen(function* () {
      const backend = yield* Backend
      const before = yield* backend.live
      const calibration = yield* Calibration.measure
      assert.deepEqual(yield* backend.live, before)
      return calibration
    })
    const { products, rate } = await Effect.runPromise(measured.pipe(Effect.provide(OnnxBackend.layer({ threads: 1 }))))
    assert.isAtLeast(products.length, 2)
    assert.strictEqual(rate, Math.max(...products.map((product) => product.rate)))
    // between a slow interpreter and any machine there is
    for (const product of products) assert.isTrue(product.rate > 1e6 && product.rate < 1e16, product.name)
  })
})
