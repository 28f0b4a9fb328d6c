import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DistillPlan, Method } from "homodistil/distill"
import { BertConfig, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import * as Distill from "../../src/cli/Distill.ts"

const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))

describe("Distill", () => {
  it("says before it starts what will become of the teacher", () =>
    assert.strictEqual(
      Distill.outline(plan, BertConfig.micro),
      [
        "platon(window: 10, beta1: 0.85, beta2: 0.95), cubic(final: 0.25, start: 0, end: 0.3), hard",
        "from hidden 128, ffn 512, qk 128, vo 128: 1.35M parameters",
        "to   hidden 32, ffn 128, qk 32, vo 32: 189k parameters",
        ""
      ].join("\n")
    ))

  it("ends with teacher and student side by side", () => {
    const config = BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 1, heads: 1, hidden: 2, ffn: 2 })
    const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
    const model = { config, parameters }
    const measures = { loss: 4.0601, accuracy: 0.2875, discrepancy: 0, tokens: 1 }
    const text = Distill.comparison([
      { name: "teacher", model, measures },
      { name: "student", model, measures: { ...measures, loss: 5.8777, discrepancy: 1.488 } }
    ])
    assert.deepStrictEqual(text.split("\n"), [
      "         parameters    MLM loss  MLM accuracy  discrepancy",
      "teacher          97  4.060 nats        28.7 %   0.000 nats",
      "student          97  5.878 nats        28.7 %   1.488 nats",
      ""
    ])
  })
})
