import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DistillPlan, Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { CellCost, CellWork, Scale } from "homodistil/experiment"
import { BertConfig, Parameters } from "homodistil/model"
import { assert, describe, it } from "vitest"

const teacher = BertConfig.uniform({ vocabSize: 50, positions: 16, layers: 2, heads: 2, hidden: 8, ffn: 20 })
const parameters = Parameters.count(Parameters.bert(teacher), BertConfig.axes(teacher))
const training = { steps: 40, rows: 3, length: 12, maskRate: 0.3, pruneEvery: 3 }

const costOf = (method: Method.Method, followed?: CellCost.Followed): CellCost.CellCost =>
  CellCost.of(Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method))), teacher, followed)

const measured = { scale: Scale.smoke, measures: [Measure.heldOut(), Measure.span()] }
const pruned = costOf(Method.homoDistil({ training }), measured)
const free = costOf(Method.noTeacher({ training }), measured)

const close = (a: number, b: number): void => assert.closeTo(a, b, 1e-9 * Math.max(a, b))

describe("CellWork", () => {
  it("is what a loop over all steps adds up, each model's operations divided by its share", () => {
    const [work] = CellWork.of([pruned], parameters)
    let total = pruned.end.flops / CellWork.share(pruned.end.parameters)
    for (const { from, to, flops, measured: looks, parameters: size } of pruned.stretches) {
      total += looks / CellWork.share(size)
      for (let step = from; step < to; step++)
        total += flops / CellWork.share(size) + pruned.teacher / pruned.steps / CellWork.share(parameters)
    }
    close(work?.total ?? 0, total)
    assert.isAbove(pruned.end.flops, 0)
  })

  it("is done step by step: nothing at the start, all but the measures of the end after the last step, never less than before", () =>
    fc.assert(
      fc.property(fc.constantFrom(pruned, free), fc.integer({ min: 0, max: 39 }), (cost, step) => {
        const [work] = CellWork.of([cost], parameters)
        if (work === undefined) throw new Error("one cost has one work")
        assert.strictEqual(CellWork.done(work, 0), 0)
        close(CellWork.done(work, cost.steps) + work.end, work.total)
        assert.isAbove(CellWork.done(work, step + 1), CellWork.done(work, step))
        assert.isAtMost(CellWork.done(work, step), work.total)
      })
    ))

  it("counts one teacher in a group, in equal parts among those who learn from it", () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom(pruned, free), { minLength: 1, maxLength: 8 }), (group) => {
        const together = CellWork.of(group, parameters)
        const alone = group.map((cost) => CellWork.of([cost], parameters)[0]?.total ?? 0)
        const students = group.filter(({ teacher }) => teacher > 0).length
        const lessons = pruned.teacher / CellWork.share(parameters)
        const sum = (values: ReadonlyArray<number>) => values.reduce((all, value) => all + value, 0)
        close(sum(together.map(({ total }) => total)), sum(alone) - Math.max(0, students - 1) * lessons)
        group.forEach((cost, i) => {
          if (cost === free) close(together[i]?.total ?? 0, alone[i] ?? 1)
        })
      })
    ))

  it("has a share that rises with the size of a model and stays within bounds", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }), (a, b) => {
        const [small = 1, large = 0] = [Math.min(a, b), Math.max(a, b)].map(CellWork.share)
        assert.isAtLeast(large, small)
        for (const share of [small, large]) assert.isTrue(share >= 0.17 && share <= 0.6)
      })
    ))
})
