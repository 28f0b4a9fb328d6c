import * as Layer from "effect/Layer"
import * as Scorer from "../importance/index.ts"
import * as Loss from "../loss/index.ts"
import { adamW, OptimizerService } from "../optimizer/index.ts"
import { Granularity, Ranking, RemainingRatio } from "../pruning/index.ts"
import type { DistillServices } from "./DistillPlan.ts"
import * as LearningRate from "./LearningRate.ts"
import * as Projection from "./Projection.ts"
import * as PruningMode from "./PruningMode.ts"
import * as StudentInit from "./StudentInit.ts"
import * as Training from "./Training.ts"

/** A bundle of layers that provides every service a distillation needs; replacing one of them is an ablation. */
export type Method = Layer.Layer<DistillServices>

/** What is commonly varied about HomoDistil; everything else is varied by providing another layer. */
export interface HomoDistilOptions {
  /** The remaining ratio of every axis at the end, in (0, 1]. */
  readonly ratio?: number
  readonly training?: Training.TrainingOptions
}

/**
 * HomoDistil (paper, §1-§6) in the micro setting: the student starts as its teacher and is pruned along a cubic schedule by
 * PLATON's score while it is distilled with all five loss terms.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * assert.deepEqual([plan.scorer.spec.name, plan.student.spec.name], ["platon", "fromTeacher"])
 * ```
 */
export const homoDistil = (options: HomoDistilOptions = {}): Method =>
  Layer.mergeAll(
    Loss.layer(Loss.homoDistil()),
    Scorer.layer(Scorer.platon()),
    RemainingRatio.layer(RemainingRatio.cubic({ final: options.ratio ?? 0.25 })),
    Granularity.layer(Granularity.users()),
    Ranking.layer(Ranking.local()),
    Layer.succeed(OptimizerService, OptimizerService.of(adamW())),
    LearningRate.layer(LearningRate.micro),
    StudentInit.layer(StudentInit.fromTeacher),
    Projection.layer(Projection.make()),
    PruningMode.layer(PruningMode.hard),
    Training.layer(Training.make(options.training))
  )

/** The loss of HomoDistil on a student that starts with random weights at its final size: what Fig. 3 compares with. */
export const randomStudent = (options: HomoDistilOptions = {}): Method =>
  Layer.mergeAll(homoDistil(options), StudentInit.layer(StudentInit.random))
