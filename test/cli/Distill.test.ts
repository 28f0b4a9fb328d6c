import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DistillPlan, Method } from "homodistil/distill"
import { BertConfig } from "homodistil/model"
import { WidthTarget } from "homodistil/pruning"
import * as Distill from "../../src/cli/Distill.ts"
import * as DistillReport from "../../src/cli/DistillReport.ts"

const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil({ ratio: 0.5 }))))

describe("Distill.towards", () => {
  it("leaves a plan as it is that ends at the widths anyway", () => {
    const half = { hidden: 64, ffn: 256, qk: 64, vo: 64 }
    assert.strictEqual(Distill.towards(plan, BertConfig.micro, half), plan)
    assert.strictEqual(Distill.towards(plan, BertConfig.micro, undefined), plan)
  })

  it("ends at the widths that were asked for", () => {
    for (const widths of [...WidthTarget.ladder(BertConfig.micro).slice(1), { hidden: 64, ffn: 300, qk: 64, vo: 64 }]) {
      const targeted = Distill.towards(plan, BertConfig.micro, widths)
      assert.deepEqual(WidthTarget.of(DistillReport.ending(targeted, BertConfig.micro)), widths)
    }
  })
})
