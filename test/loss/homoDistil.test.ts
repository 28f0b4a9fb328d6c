import { assert, describe, it } from "@effect/vitest"
import * as Loss from "homodistil/loss"
import { draw, value } from "../laws/losses.ts"

describe("homoDistil", () => {
  it("weighs its terms and shows them unweighted", async () => {
    const x = draw(1, true)
    const { total, ...terms } = await value(Loss.homoDistil({ kl: 2, hidden: 0.5, embedding: 3, attention: 0.25 }), x)
    const { mlm = 0, kl = 0, hidden = 0, embedding = 0, attention = 0 } = terms
    assert.closeTo(total ?? 0, mlm + 2 * kl + 0.5 * hidden + 3 * embedding + 0.25 * attention, 1e-4)
    const { total: _, ...plain } = await value(Loss.homoDistil(), x)
    assert.deepStrictEqual(terms, plain)
  })

  it("needs nothing exposed for a term of weight 0", () => {
    const loss = Loss.homoDistil({ kl: 0, hidden: 0, attention: 0 })
    assert.deepStrictEqual(
      [loss.taps, loss.terms],
      [
        ["logits", "embedding"],
        ["mlm", "embedding"]
      ]
    )
  })

  const weights = { kl: 2, hidden: 0.5, attention: 0.25 }
  const paper = { scale: "raw", reduce: "sum" } as const

  it("takes a setting's options where it leaves them open, to the bit as if they had been given", async () => {
    const x = draw(3, true)
    const open = Loss.inSetting(Loss.homoDistil(weights), paper)
    const given = Loss.homoDistil({ ...weights, ...paper })
    assert.deepStrictEqual(open.spec, given.spec)
    assert.deepStrictEqual(await value(open, x), await value(given, x))
    assert.notDeepEqual(await value(open, x), await value(Loss.homoDistil(weights), x))
    assert.deepStrictEqual(Loss.inSetting(given, { scale: "teacherVariance", reduce: "mean" }).spec, given.spec)
  })

  it("is the same in its own setting, and stays in the first it is put in", () => {
    const micro = { scale: "teacherVariance", reduce: "mean" } as const
    const loss = Loss.homoDistil(weights)
    assert.deepStrictEqual(Loss.inSetting(loss, micro).spec, loss.spec)
    const first = Loss.inSetting(loss, paper)
    assert.deepStrictEqual(Loss.inSetting(first, micro).spec, first.spec)
  })

  it("refuses to be nothing, and names every illegal option at once", () => {
    assert.throws(() => Loss.homoDistil({ mlm: 0, kl: 0, hidden: 0, embedding: 0, attention: 0 }), /at least one term/)
    for (const option of ["kl = -1", "temperature = 0"])
      assert.throws(() => Loss.homoDistil({ kl: -1, temperature: 0 }), new RegExp(`homoDistil\\.${option}`))
  })

  it("adds up terms of the same name", async () => {
    const x = draw(2, false)
    const one = await value(Loss.kl(), x)
    const both = await value(Loss.sum(Loss.kl(), Loss.scale(3, Loss.kl())), x)
    assert.closeTo(both["kl"] ?? 0, 2 * (one["kl"] ?? 0), 1e-5)
    assert.closeTo(both["total"] ?? 0, 4 * (one["kl"] ?? 0), 1e-5)
  })
})
