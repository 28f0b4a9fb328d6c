import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DistillPlan, LearningRate, Method, Projection, PruningMode, StudentInit, Training } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { adamW, OptimizerService } from "homodistil/optimizer"
import { Granularity, Ranking, RemainingRatio } from "homodistil/pruning"
import { Digest, Spec } from "homodistil/spec"
import { assert, describe, it } from "vitest"

const resolve = (method: Method.Method) => Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))
const digest = (method: Method.Method) => Digest.of(Spec.toJson(DistillPlan.spec(resolve(method))))

describe("a method", () => {
  it("provides the micro setting", () => {
    const plan = resolve(Method.homoDistil())
    assert.deepEqual(plan.loss.terms, ["mlm", "kl", "hidden", "embedding", "attention"])
    const ratio = plan.ratio.over(plan.training.steps)
    assert.deepEqual([plan.training.steps, plan.training.pruneEvery, ratio.final, ratio.ends], [400, 10, 0.25, 280])
    assert.strictEqual(plan.learningRate.over(400).at(19), 3e-3)
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
