import * as fc from "fast-check"
import type { HostTensor } from "homodistil/backend"
import { Distiller, PruningMode, StepState } from "homodistil/distill"
import { Axis, BertConfig, Model, Parameters } from "homodistil/model"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { config, plan, teacher } from "./samples.ts"

const start = Distiller.start({ plan: plan(), teacher, seed: Seed.make(0) })
const masked = Distiller.start({ plan: plan(PruningMode.layer(PruningMode.masked())), teacher, seed: Seed.make(0) })

/** A plan that keeps half of the hidden and feed-forward units, whichever. */
const plans = fc
  .record({
    hidden: fc.shuffledSubarray([...Array(16).keys()], { minLength: 4, maxLength: 8 }),
    ffn: fc.shuffledSubarray([...Array(24).keys()], { minLength: 3, maxLength: 9 })
  })
  .map(({ hidden, ffn }) =>
    PrunePlan.of({ hidden: hidden.toSorted((a, b) => a - b), "layer.1.ffn": ffn.toSorted((a, b) => a - b) })
  )

describe("the state of a distillation", () => {
  it("starts as the teacher, with identity projections and nothing remembered", () => {
    assert.strictEqual(start.step, 0)
    assert.deepEqual(StepState.model(start), teacher)
    assert.strictEqual(start.train.params["projection.layer.0.weight"]?.data[17], 1)
    for (const slots of [start.train.moments, start.train.slots])
      for (const values of Object.values(slots))
        for (const { data } of Object.values(values)) assert.isTrue(data.every((x) => x === 0))
  })

  it("is cut as a whole: every tensor fits the axes of its parameter, and cuts compose", () =>
    fc.assert(
      fc.property(plans, (chosen) => {
        const specs = Object.keys(start.train.params)
        const axes = StepState.axes({ ...start, kept: chosen })
        const after = StepState.cut(start, specsOf(specs), chosen)
        assert.deepEqual(StepState.axes(after), axes)
        assert.strictEqual(StepState.config(after).hidden, Axis.get(axes, "hidden").size)
        assert.strictEqual(after.train.params["projection.embedding.weight"]?.shape[0], Axis.get(axes, "hidden").size)
        for (const [name, t] of Object.entries(after.train.moments["mean"] ?? {}))
          assert.deepEqual(t.shape, after.train.params[name]?.shape)
      })
    ))

  it("is silenced as a whole: what cutting would remove is 0 in weights, moments and slots, and the rest is untouched", () =>
    fc.assert(
      fc.property(plans, (chosen) => {
        const full = withoutZeros(masked)
        const specs = specsOf(Object.keys(full.train.params))
        const [silenced, cut] = [StepState.silence(full, specs, chosen), StepState.cut(full, specs, chosen)]
        assert.deepEqual(silenced.kept, cut.kept)
        // the silenced state, cut, is the cut one, and holds no other number that is not 0
        assert.deepEqual(StepState.cut({ ...silenced, kept: full.kept }, specs, chosen).train, cut.train)
        for (const [whole, part] of pairs(silenced.train, cut.train)) {
          assert.strictEqual(whole.data.filter((x) => x !== 0).length, part.data.length)
          assert.isFalse(whole.data.some((x) => Object.is(x, -0)))
        }
        assert.deepEqual(StepState.model(silenced), StepState.model({ ...full, kept: chosen }))
      })
    ))

  it("is silenced step by step as at once", () =>
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 3 }), (chosen, count) => {
        const full = withoutZeros(masked)
        const specs = specsOf(Object.keys(full.train.params))
        const second = PrunePlan.of({ hidden: [...Array(count).keys()], "layer.0.ffn": [1, 5] })
        const twice = StepState.silence(StepState.silence(full, specs, chosen), specs, second)
        assert.deepEqual(twice, StepState.silence(full, specs, PrunePlan.compose(chosen, second)))
      })
    ))

  it("counts the same parameters whether units are cut or masked, where no weight is zero by itself", () =>
    fc.assert(
      fc.property(plans, (chosen) => {
        const full = withoutZeros(masked)
        const silenced = StepState.model({ ...full, kept: chosen })
        const cut = BertConfig.fromAxes(config, PrunePlan.axesAfter(BertConfig.axes(config), chosen))
        assert.strictEqual(Model.size(silenced), Model.size({ config: cut, parameters: {} }))
      })
    ))
})

const specsOf = (names: ReadonlyArray<string>) => {
  const projection = names.filter((name) => name.startsWith("projection"))
  return [
    ...Parameters.bert(config),
    ...projection.map((name) => ({ name, axes: ["hidden", "teacher.hidden"], output: "teacher.hidden" }))
  ]
}

type Train = StepState.StepState["train"]

/** The tensors of one training state beside those of another. */
const pairs = (a: Train, b: Train): ReadonlyArray<readonly [HostTensor, HostTensor]> => {
  const trees = (train: Train) => [train.params, ...Object.values(train.moments), ...Object.values(train.slots)]
  const others = trees(b)
  return trees(a).flatMap((tree, i) =>
    Object.entries(tree).map(([name, t]) => {
      const other = others[i]?.[name]
      if (other === undefined) throw new Error(`only one state has ${name}`)
      return [t, other] as const
    })
  )
}

const withoutZeros = (state: StepState.StepState): StepState.StepState => {
  const tree = (tensors: Train["params"], other: number): Train["params"] =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, t]) => [name, { ...t, data: Float32Array.from(t.data, (x) => x || other) }])
    )
  const bySlot = (slots: Train["slots"], other: number): Train["slots"] =>
    Object.fromEntries(Object.entries(slots).map(([slot, tensors]) => [slot, tree(tensors, other)]))
  const { params, moments, slots } = state.train
  return { ...state, train: { params: tree(params, 1), moments: bySlot(moments, -2), slots: bySlot(slots, 3) } }
}
