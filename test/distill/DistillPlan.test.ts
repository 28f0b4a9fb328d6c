import type * as Layer from "effect/Layer"
import { DistillPlan, PruningMode, StudentInit } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { RemainingRatio } from "homodistil/pruning"
import { Spec } from "homodistil/spec"
import { assert, it } from "vitest"
import { plan } from "./samples.ts"

it("a plan's description names each component once, in a fixed order", () => {
  const names = (DistillPlan.spec(plan()).parts ?? []).map(({ name }) => name)
  assert.deepEqual(names, names.toSorted())
  assert.strictEqual(new Set(names).size, 11)
  assert.match(Spec.describe(DistillPlan.spec(plan())), /scorer\(platon\(window: 3, beta1: 0.85, beta2: 0.95\)\)/)
})

it("a plan that waits for scores has another version than one that need not", () => {
  const version = (...layers: ReadonlyArray<Layer.Layer<never>>) => DistillPlan.spec(plan(...layers)).version
  const window = (steps: number) => Scorer.layer(Scorer.platon({ window: steps }))
  assert.deepEqual(
    [1, 3, 4, 12].map((steps) => version(window(steps))),
    [1, 1, 2, 2]
  )
  assert.strictEqual(version(window(3), RemainingRatio.layer(RemainingRatio.oneShot({ final: 0.5 }))), 2)
  // where nothing is ranked nothing waits
  assert.strictEqual(version(window(100), RemainingRatio.layer(RemainingRatio.constant())), 1)
  assert.strictEqual(version(window(100), StudentInit.layer(StudentInit.random)), 1)
  assert.strictEqual(version(Scorer.layer(Scorer.sensitivity({ window: 1_000_000 }))), 1)
})

it("a plan whose scorer has no scores before the last pruning is refused, and says what would do", () => {
  const ratio = (window: number, ...layers: ReadonlyArray<Layer.Layer<never>>) =>
    DistillPlan.ratio(plan(Scorer.layer(Scorer.platon({ window })), ...layers)).final
  assert.deepEqual([ratio(12), ratio(100, StudentInit.layer(StudentInit.random))], [0.25, 0.25])
  const message =
    /steps = 12: must be enough for the last pruning, after step 12, .*platon\(window: 13.* none before step 13; train longer/
  assert.throws(() => ratio(13), message)
  assert.throws(() => ratio(13, PruningMode.layer(PruningMode.unstructured)), message)
})
