import { DistillPlan } from "homodistil/distill"
import { Spec } from "homodistil/spec"
import { assert, it } from "vitest"
import { plan } from "./samples.ts"

it("a plan's description names each component once, in a fixed order", () => {
  const names = (DistillPlan.spec(plan()).parts ?? []).map(({ name }) => name)
  assert.deepEqual(names, names.toSorted())
  assert.strictEqual(new Set(names).size, 11)
  assert.match(Spec.describe(DistillPlan.spec(plan())), /scorer\(platon\(window: 10, beta1: 0.85, beta2: 0.95\)\)/)
})
