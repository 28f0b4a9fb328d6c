import { assert, describe, it } from "@effect/vitest"
import { CutModel } from "../../src/evaluate/index.ts"
import type { Model } from "../../src/model/index.ts"
import { model, pooler, prunedBothWays } from "./tiny.ts"

const zeroed = (given: Model.Model, silent: (name: string, row: number) => boolean): Model.Model => ({
  ...given,
  parameters: Object.fromEntries(
    Object.entries(given.parameters).map(([name, value]) => {
      const inner = value.data.length / (value.shape[0] ?? 1)
      return [name, { ...value, data: value.data.map((x, i) => (silent(name, Math.floor(i / inner)) ? 0 : x)) }]
    })
  )
})

describe("CutModel", () => {
  it("gives the very model that was cut where the other was masked", () => {
    const { cut, masked } = prunedBothWays(model(0))
    assert.deepStrictEqual(CutModel.of(masked), cut)
  })

  it("drops a pooler with the units that it reads, and keeps it where nothing is cut", () => {
    const whole = { ...model(0), pooler: pooler(0) }
    assert.strictEqual(CutModel.of(whole), whole)
    const { cut, masked } = prunedBothWays(whole)
    assert.deepStrictEqual(CutModel.of({ ...masked, pooler: whole.pooler }), cut)
  })

  it("leaves a model alone that is not masked, zeros or not", () => {
    const { cut } = prunedBothWays(model(1))
    assert.strictEqual(CutModel.of(cut), cut)
    const withZeros = zeroed(cut, (name) => name.includes("layer.0.intermediate"))
    assert.strictEqual(CutModel.of(withZeros), withZeros)
  })

  it("keeps a unit of which any number is left, and as many units in every head", () => {
    const { cut, masked } = prunedBothWays(model(2))
    // the query of a unit in the first head goes, its key stays: it is no silent unit
    const query = zeroed(masked, (name, row) => name.includes("layer.0.attention.self.query") && row === 0)
    assert.deepStrictEqual(CutModel.of(query).config.qk, cut.config.qk)
    // all of it goes: the other head needs two units, so one silent unit stays in this one
    const value = masked.parameters["bert.encoder.layer.0.attention.self.query.weight"]
    assert.strictEqual(value?.shape[0], 8)
    const unit = zeroed(masked, (name, row) => /layer\.0\.attention\.self\.(query|key)/.test(name) && row === 0)
    assert.deepStrictEqual(CutModel.of(unit).config.qk, cut.config.qk)
  })
})
