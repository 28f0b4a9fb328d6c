import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as fc from "fast-check"
import { Distiller, DistillPlan, Method, PruningMode, StudentInit } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { CellCost, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { BertConfig } from "homodistil/model"
import { trainingBatches } from "homodistil/data"
import { OnnxBackend } from "homodistil/backend"
import { Seed } from "homodistil/spec"
import * as Stream from "effect/Stream"
import { assert, describe, it } from "vitest"
import { materials } from "./toy.ts"

const planOf = (method: Method.Method): DistillPlan.DistillPlan =>
  Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))

/** A method whose scorer has scores from the first step on. */
const eager = (method: Method.Method): Method.Method => Layer.merge(method, Scorer.layer(Scorer.sensitivity()))

const training = { steps: 40, rows: 3, length: 12, maskRate: 0.3, pruneEvery: 3 }
const teacher = BertConfig.uniform({ vocabSize: 50, positions: 16, layers: 2, heads: 2, hidden: 8, ffn: 20 })

/** Multiplications and additions of [m, k] × [k, n], one by one. */
const product = (m: number, k: number, n: number): number => {
  let operations = 0
  for (let row = 0; row < m; row++) for (let column = 0; column < n; column++) operations += 2 * k
  return operations
}

/** A forward pass, product by product. */
const forward = (config: BertConfig.BertConfig, rows: number, length: number, masked: number): number => {
  let operations = 0
  for (let layer = 0; layer < config.layers; layer++) {
    const [qk, vo, ffn] = [config.qk[layer] ?? 0, config.vo[layer] ?? 0, config.ffn[layer] ?? 0]
    for (const [from, to] of [
      [config.hidden, qk],
      [config.hidden, qk],
      [config.hidden, vo],
      [vo, config.hidden],
      [config.hidden, ffn],
      [ffn, config.hidden]
    ])
      operations += product(rows * length, from ?? 0, to ?? 0)
    for (let head = 0; head < rows * config.heads; head++)
      operations += product(length, qk / config.heads, length) + product(length, length, vo / config.heads)
  }
  return operations + product(masked, config.hidden, config.hidden) + product(masked, config.hidden, config.vocabSize)
}

describe("CellCost", () => {
  it("is what a loop over all steps counts, at the widths that a run of the same plan has", async () => {
    const plan = planOf(
      eager(Method.homoDistil({ ratio: 0.25, training: { ...training, steps: 12, length: 16, pruneEvery: 1 } }))
    )
    const batches = trainingBatches(materials.dataset, plan.training)
    const events = await Effect.runPromise(
      Stream.runCollect(
        Distiller.run({
          plan,
          teacher: materials.teacher,
          seed: Seed.make(0),
          batch: batches.masked,
          snapshotAt: () => false
        })
      ).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))
    )
    const { config } = materials.teacher
    let widths: { readonly [axis: string]: number } = {}
    let counted = 0
    let sizes: ReadonlyArray<number> = []
    const masked = batches.masked(Seed.make(0), 0).positions.length
    for (const event of events) {
      if (event._tag === "Started" || (event._tag === "Pruned" && event.step < 12)) {
        widths = event.widths
        sizes = [...sizes, event.parameters]
      }
      if (event._tag !== "Stepped") continue
      const of = (axis: string): number => widths[axis] ?? 0
      const student = {
        ...config,
        hidden: of("hidden"),
        ffn: [of("layer.0.ffn")],
        qk: [of("layer.0.qk")],
        vo: [of("layer.0.vo")]
      }
      counted += 3 * forward(student, 3, 16, masked)
      for (let map = 0; map < 2; map++) counted += 3 * product(3 * 16, student.hidden, config.hidden)
    }
    const cost = CellCost.of(plan, config)
    assert.strictEqual(cost.batch.masked, masked)
    assert.strictEqual(cost.student, counted)
    assert.strictEqual(cost.teacher, 12 * forward(config, 3, 16, masked))
    assert.deepEqual(
      cost.stretches.map(({ parameters }) => parameters),
      sizes
    )
    assert.isAbove(sizes.length, 2)
  })

  it("falls with the widths: a smaller ratio never costs more operations, parameters or memory", () =>
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ratio, part) => {
          for (const method of [Method.homoDistil, Method.randomStudent]) {
            const [large, small] = [ratio, Math.max(0.02, ratio * part)].map((share) =>
              CellCost.of(planOf(method({ ratio: share, training })), teacher)
            )
            if (large === undefined || small === undefined) throw new Error("two ratios give two costs")
            assert.isAtMost(small.student, large.student)
            assert.strictEqual(small.teacher, large.teacher)
            assert.isAtMost(CellCost.bytes(small.memory), CellCost.bytes(large.memory))
            assert.isAtMost(small.stretches.at(-1)?.parameters ?? 0, large.stretches.at(-1)?.parameters ?? 0)
          }
        }
      ),
      { numRuns: 30 }
    ))

  it("covers every step once, each stretch smaller than the one before", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), (steps, pruneEvery) => {
        const { stretches } = CellCost.of(
          planOf(eager(Method.homoDistil({ training: { ...training, steps, pruneEvery } }))),
          teacher
        )
        assert.strictEqual(stretches[0]?.from, 0)
        assert.strictEqual(stretches.at(-1)?.to, steps)
        for (const [i, { from, to, flops, parameters }] of stretches.entries()) {
          assert.isBelow(from, to)
          const before = stretches[i - 1]
          if (before === undefined) continue
          assert.strictEqual(before.to, from)
          assert.isBelow(parameters, before.parameters)
          assert.isBelow(flops, before.flops)
        }
      }),
      { numRuns: 30 }
    ))

  it("keeps the shape of a masked student, of one with single weights pruned, and of one that starts at its final size", () => {
    const masked = Layer.mergeAll(Method.homoDistil({ training }), PruningMode.layer(PruningMode.masked()))
    for (const method of [masked, Method.platonUnstructured({ training })]) {
      const { stretches } = CellCost.of(planOf(method), teacher)
      assert.strictEqual(stretches.length, 1)
      assert.deepEqual(stretches[0]?.config, teacher)
    }
    const [every] = CellCost.of(planOf(Method.distilBert({ ratio: 0.5, training })), teacher).stretches
    assert.strictEqual(every?.config.layers, 1)
    assert.strictEqual(every?.config.hidden, 8)
    const [random] = CellCost.of(planOf(Method.randomStudent({ ratio: 0.5, training })), teacher).stretches
    assert.strictEqual(random?.config.hidden, 4)
  })

  it("counts neither projections nor logits that a loss does not ask for", () => {
    const plain = planOf(Method.homoDistil({ training }))
    const without = planOf(
      Layer.mergeAll(Method.homoDistil({ training }), Loss.layer(Loss.homoDistil({ hidden: 0, embedding: 0 })))
    )
    const tokens = 3 * 12
    const [first] = CellCost.of(plain, teacher).stretches
    const [bare] = CellCost.of(without, teacher).stretches
    assert.strictEqual((first?.flops ?? 0) - (bare?.flops ?? 0), 3 * 3 * 2 * tokens * 8 * 8)
    const silent = planOf(Layer.mergeAll(Method.homoDistil({ training }), Loss.layer(Loss.hidden())))
    assert.strictEqual(CellCost.of(silent, teacher).teacher, 40 * forward(teacher, 3, 12, 0))
    assert.strictEqual(
      CellCost.of(planOf(Layer.mergeAll(Method.homoDistil({ training }), Loss.layer(Loss.none))), teacher).teacher,
      0
    )
  })

  it("counts what is measured at each step, at the widths that the student has then", () => {
    const plan = planOf(Method.homoDistil({ training }))
    const rows = { ...Scale.smoke, points: 8, curveRows: 5, testRows: 7 }
    const measures = [Measure.heldOut(), Measure.curve()]
    const trajectory = { points: 4, measure: [Measure.heldOut()] }
    const { stretches, end, measures: all } = CellCost.of(plan, teacher, { scale: rows, measures, trajectory })
    let counted = 0
    for (let done = 0; done <= 40; done++) {
      const { config } = stretches.findLast(({ from }) => from <= done) ?? fail()
      // every fifth step of forty is one of eight points, every tenth one of four, and the end is none of these
      if (done % 5 === 0) counted += forward(config, 5, 12, 5 * 3)
      if (done % 10 === 0 && done < 40) counted += forward(config, 7, 12, 7 * 3)
    }
    const last = forward(stretches.at(-1)?.config ?? fail(), 7, 12, 7 * 3)
    assert.strictEqual(end.flops, last)
    assert.strictEqual(all, counted + last)
    assert.strictEqual(CellCost.of(plan, teacher).measures, 0)
  })

  it("measures a masked student at the widths of a pruned one", () => {
    const masked = Layer.mergeAll(Method.homoDistil({ training }), PruningMode.layer(PruningMode.masked()))
    const followed = { scale: Scale.smoke, measures: Measure.standard() }
    const [hard, soft] = [Method.homoDistil({ training }), masked].map((method) =>
      CellCost.of(planOf(method), teacher, followed)
    )
    assert.deepStrictEqual(soft?.end, hard?.end)
    assert.isAbove(hard?.end.flops ?? 0, 0)
  })

  it("has no teacher to run where the loss never looks at one", () => {
    const { teacher: taught, memory } = CellCost.of(planOf(Method.noTeacher({ training })), teacher)
    assert.strictEqual(taught, 0)
    const looking = Layer.mergeAll(Method.noTeacher({ training }), Loss.layer(Loss.kl()))
    const other = CellCost.of(planOf(looking), teacher)
    assert.strictEqual(other.teacher, 40 * forward(teacher, 3, 12, 9))
    assert.strictEqual(other.memory.activations - memory.activations, 4 * 9 * teacher.vocabSize)
  })

  it("counts weights, moments and what the scorer remembers in bytes", () => {
    const fixed = Layer.mergeAll(Method.noTeacher({ training }), StudentInit.layer(StudentInit.random))
    const plan = planOf(fixed)
    const { memory, stretches } = CellCost.of(plan, teacher)
    const parameters = stretches[0]?.parameters ?? 0
    assert.strictEqual(memory.weights, 4 * parameters)
    assert.strictEqual(memory.gradients, 4 * parameters)
    assert.strictEqual(memory.moments, 2 * 4 * parameters)
    // all but the bias of the logits has an axis that may be pruned
    assert.strictEqual(memory.slots, plan.scorer.slots.length * 4 * (parameters - teacher.vocabSize))
  })
})

const fail = (): never => {
  throw new Error("a run has a first stretch")
}
