import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { adamW, OptimizerService } from "homodistil/optimizer"

it("the optimiser of a run is a service: what is provided is what is found", async () => {
  const given = adamW({ beta1: 0.5 })
  const found = await Effect.runPromise(Effect.provideService(OptimizerService, OptimizerService, given))
  assert.strictEqual(found, given)
})
