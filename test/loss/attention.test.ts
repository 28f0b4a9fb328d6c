import { assert, describe, it } from "@effect/vitest"
import * as Loss from "homodistil/loss"
import { draw, value } from "../laws/losses.ts"

describe("attention", () => {
  it("does not change where a head's scores and its teacher's grow together, if scaled by the teacher's variance", async () => {
    const x = draw(4, true)
    const grown = Object.fromEntries(
      Object.entries(x).map(([name, tensor]) => [
        name,
        name.includes("scores") ? { ...tensor, data: tensor.data.map((v) => 64 * v) } : tensor
      ])
    )
    const total = async (loss: Loss.DistillationLoss, y: typeof x) => (await value(loss, y))["total"] ?? Number.NaN
    assert.closeTo(await total(Loss.attention(), grown), await total(Loss.attention(), x), 1e-4)
    const raw = Loss.attention({ scale: "raw" })
    assert.closeTo((await total(raw, grown)) / (await total(raw, x)), 64 ** 2, 1e-1)
  })

  it("stays finite where a teacher's head has no preference", async () => {
    const x = draw(4, false)
    const flat = Object.fromEntries(
      Object.entries(x).map(([name, tensor]) => [
        name,
        name.includes("scores") ? { ...tensor, data: tensor.data.map(() => 0.5) } : tensor
      ])
    )
    assert.strictEqual((await value(Loss.attention(), flat))["total"], 0)
  })

  it("refuses other scales", () => {
    const options = JSON.parse('{ "scale": "softmax" }') as Loss.AttentionOptions
    assert.throws(() => Loss.attention(options), /attention\.scale = softmax: must be "raw" \| "teacherVariance"/)
  })
})
