import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import {
  type DistillEvent,
  Distiller,
  DistillPlan,
  LearningRate,
  Method,
  Projection,
  PruningMode,
  StepState,
  StudentInit,
  Training
} from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { adamW, OptimizerService } from "homodistil/optimizer"
import { Model } from "homodistil/model"
import { Granularity, Ranking, RemainingRatio } from "homodistil/pruning"
import { Digest, Seed, Spec } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { batch, events, finalState, native, teacher, totals, training } from "./samples.ts"

const resolve = (method: Method.Method) => Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))
const digest = (method: Method.Method) => Digest.of(Spec.toJson(DistillPlan.spec(resolve(method))))

describe("a method", () => {
  it("provides the micro setting", () => {
    const plan = resolve(Method.homoDistil())
    assert.deepEqual(plan.loss.terms, ["mlm", "kl", "hidden", "embedding", "attention"])
    const ratio = plan.ratio.over(plan.training.steps)
    assert.deepEqual([plan.training.steps, plan.training.pruneEvery, ratio.final, ratio.ends], [400, 10, 0.25, 120])
    assert.strictEqual(plan.learningRate.over(400).at(19), 6e-3)
    assert.strictEqual(resolve(Method.randomStudent()).student.spec.name, "random")
  })

  it("is hashed from what is really provided: replacing any one service changes the digest", () => {
    const base = Method.homoDistil()
    const replaced: { readonly [name: string]: Layer.Layer<never> } = {
      loss: Loss.layer(Loss.homoDistil({ scale: "raw" })),
      scorer: Scorer.layer(Scorer.platon({ window: 5 })),
      ratio: RemainingRatio.layer(RemainingRatio.linear({ final: 0.25 })),
      granularity: Granularity.layer(Granularity.producers()),
      ranking: Ranking.layer(Ranking.local({ multiples: { hidden: 4 } })),
      optimizer: Layer.succeed(OptimizerService, OptimizerService.of(adamW({ beta2: 0.999 }))),
      learningRate: LearningRate.layer(LearningRate.linearDecay({ peak: 1e-3, warmup: 0.05 })),
      student: StudentInit.layer(StudentInit.random),
      projection: Projection.layer(Projection.make({ shared: true })),
      mode: PruningMode.layer(PruningMode.masked()),
      training: Training.layer(Training.make({ steps: 401 }))
    }
    const digests = Object.entries(replaced).map(([name, layer]) => [name, digest(Layer.merge(base, layer))] as const)
    assert.strictEqual(new Set([digest(base), ...digests.map(([, d]) => d)]).size, digests.length + 1)
    assert.deepEqual(Object.keys(replaced).sort(), Object.keys(resolve(base)).sort())
    assert.strictEqual(digest(base), digest(Layer.merge(base, Scorer.layer(Scorer.platon()))))
  })
})

/** What is left of the teacher of the samples at a ratio of ½: layers, hidden width, feed-forward width. */
const sizes: { readonly [method: string]: readonly [layers: number, hidden: number, ffn: number] } = {
  homoDistil: [2, 8, 12],
  tinyBert: [2, 8, 12],
  miniLm: [2, 8, 12],
  distilBert: [1, 16, 24],
  randomStudent: [2, 8, 12],
  oneShot: [2, 8, 12],
  noTeacher: [2, 8, 12],
  platonUnstructured: [2, 16, 24]
}

describe.each(Object.entries(Method.all))("the method %s", (name, method) => {
  const plan = resolve(method({ ratio: 0.5, training: { ...training, pruneEvery: 2 } }))

  it("trains with finite losses to its final size", async () => {
    const all = await native(events({ plan }))
    const [started] = all
    assert.ok(started?._tag === "Started")
    assert.lengthOf(totals(all), training.steps)
    for (const event of all)
      if (event._tag === "Stepped") {
        assert.deepEqual(Object.keys(event.terms).toSorted(), plan.loss.terms.toSorted())
        for (const value of [event.total, ...Object.values(event.terms)]) assert.isTrue(Number.isFinite(value))
      }
    const model = StepState.model(finalState(all))
    const { layers, hidden, ffn } = model.config
    assert.deepEqual([layers, hidden, ffn[0] ?? 0], sizes[name] ?? [0, 0, 0])
    const last = all.findLast((event) => event._tag === "Pruned") ?? started
    assert.strictEqual(last.parameters, Model.size(model))
    assert.isBelow(Model.size(model), Model.size(teacher))
    const distinct = new Set(all.flatMap((event) => (event._tag === "Pruned" ? [event.ratio] : []))).size
    const expected = distinct === 0 ? "none" : distinct === 1 ? "one-shot" : "iterative"
    assert.strictEqual(Method.properties(plan).pruning, expected)
  })

  it("goes on from any step as if it had never stopped", async () => {
    const whole = await native(events({ plan, snapshotAt: () => true }))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: training.steps - 1 }), async (at) => {
        const snapshot = whole.find((event) => event._tag === "Snapshot" && event.state.step === at)
        assert.ok(snapshot?._tag === "Snapshot")
        // what was written down need not tell that weights are zeroed
        const { sparse: _, ...from } = snapshot.state
        const rest = await native(events({ plan, from, snapshotAt: () => true }))
        assert.deepEqual(finalState(rest), finalState(whole))
        const later = whole.filter((event) => event._tag !== "Started" && stepOf(event) > at)
        assert.deepEqual(
          rest.filter(({ _tag }) => _tag !== "Started"),
          later
        )
      }),
      { numRuns: 3 }
    )
  })

  it("learns from its teacher exactly where its properties say so", async () => {
    const quiet: Model.Model = {
      ...teacher,
      parameters: Object.fromEntries(
        Object.entries(teacher.parameters).map(([key, value]) => [
          key,
          { ...value, data: Float32Array.from(value.data, (x) => x / 2) }
        ])
      )
    }
    const fixed: StudentInit.StudentInit = {
      ...plan.student,
      make: (input) => plan.student.make({ ...input, teacher })
    }
    const scorer = Scorer.magnitude()
    const one = { ...plan, scorer, student: fixed, training: { ...plan.training, steps: 2 } }
    const [a, b] = await Promise.all([teacher, quiet].map((given) => native(events({ plan: one, teacher: given }))))
    const differs = JSON.stringify(totals(a ?? [])) !== JSON.stringify(totals(b ?? []))
    assert.strictEqual(differs, Method.properties(plan).teacher)
  })
})

const stepOf = (event: DistillEvent): number =>
  event._tag === "Snapshot" ? event.state.step : event._tag === "Started" ? 0 : event.step

describe("every method", () => {
  it("has a key of its own, and HomoDistil the one it had", () => {
    const spec = (method: Method.Method) => Spec.describe(DistillPlan.spec(resolve(method)))
    assert.strictEqual(spec(Method.homoDistil({ granularity: Granularity.users() })), spec(Method.homoDistil()))
    assert.strictEqual(new Set(Object.values(Method.all).map((method) => spec(method()))).size, 8)
  })

  it("cuts at once by the scores of all steps until then, be they fewer or more than a window has", async () => {
    for (const steps of [40, 240]) {
      const length = Training.layer(Training.make({ ...training, steps, pruneEvery: 5 }))
      const oneShot = Layer.merge(Method.oneShot({ ratio: 0.5, warmup: 0.05 }), length)
      const wait = Math.floor(0.05 * steps)
      const cut = (method: Method.Method) =>
        Distiller.run({ plan: resolve(method), teacher, seed: Seed.make(0), batch, snapshotAt: () => false }).pipe(
          Stream.filterMap((event) => (event._tag === "Pruned" ? Result.succeed(event) : Result.failVoid)),
          Stream.runHead,
          Effect.map(Option.getOrThrow),
          native
        )
      const scoredOver = (window: number) => cut(Layer.merge(oneShot, Scorer.layer(Scorer.sensitivity({ window }))))
      const { step, scores } = await cut(oneShot)
      assert.strictEqual(step, wait + 1)
      assert.deepEqual(scores, (await scoredOver(wait + 1)).scores)
      assert.notDeepEqual(scores, (await scoredOver(1)).scores)
    }
  })

  it("takes the same options", () => {
    for (const method of Object.values(Method.all)) {
      const { ratio, training: trained } = resolve(method({ ratio: 0.75, training: { steps: 60 } }))
      assert.deepEqual([ratio.over(60).final, trained.steps], [0.75, 60])
    }
    assert.throws(() => Method.distilBert({ weights: { mlm: -1 } }), /weight = -1/)
    assert.throws(() => Method.oneShot({ warmup: 1 }), /delay\.share = 1/)
    assert.throws(() => Method.tinyBert({ ratio: 0 }), /final = 0/)
  })
})
