import * as Effect from "effect/Effect"
import { type ImportanceScorer, ScorerService } from "../importance/index.ts"
import { type DistillationLoss, LossService } from "../loss/index.ts"
import { type Optimizer, OptimizerService } from "../optimizer/index.ts"
import {
  type Granularity,
  GranularityService,
  type Ranking,
  RankingService,
  type RemainingRatio,
  RemainingRatioService
} from "../pruning/index.ts"
import type { Schedule } from "../schedule/index.ts"
import { Spec } from "../spec/index.ts"
import { type LearningRate, LearningRateService } from "./LearningRate.ts"
import { type Projection, ProjectionService } from "./Projection.ts"
import { type PruningMode, PruningModeService } from "./PruningMode.ts"
import { type StudentInit, StudentInitService } from "./StudentInit.ts"
import { type Training, TrainingService } from "./Training.ts"

/** Every service a distillation needs; an experiment that lacks one does not type-check. */
export type DistillServices =
  | LossService
  | ScorerService
  | RemainingRatioService
  | GranularityService
  | RankingService
  | OptimizerService
  | LearningRateService
  | StudentInitService
  | ProjectionService
  | PruningModeService
  | TrainingService

/** The components that were really provided: resolved once, before a run, so that no Effect is left inside the traced step. */
export interface DistillPlan {
  readonly loss: DistillationLoss
  readonly scorer: ImportanceScorer
  readonly ratio: RemainingRatio.RemainingRatio
  readonly granularity: Granularity.Granularity
  readonly ranking: Ranking.Ranking
  readonly optimizer: Optimizer
  readonly learningRate: LearningRate
  readonly student: StudentInit
  readonly projection: Projection
  readonly mode: PruningMode
  readonly training: Training
}

/** Reads the provided services. */
export const resolve: Effect.Effect<DistillPlan, never, DistillServices> = Effect.gen(function* () {
  return {
    loss: yield* LossService,
    scorer: yield* ScorerService,
    ratio: yield* RemainingRatioService,
    granularity: yield* GranularityService,
    ranking: yield* RankingService,
    optimizer: yield* OptimizerService,
    learningRate: yield* LearningRateService,
    student: yield* StudentInitService,
    projection: yield* ProjectionService,
    mode: yield* PruningModeService,
    training: yield* TrainingService
  }
})

/** The steps that schedules are made over: where there are none, nothing asks them for more than their start. */
const horizon = ({ training }: Pick<DistillPlan, "training">): number => Math.max(1, training.steps)

/** A plan's remaining ratio over its run. Throws `ConfigError` where it breaks the promises of `CheckedRatio`. */
export const ratio = (plan: Pick<DistillPlan, "ratio" | "training">): RemainingRatio.CheckedRatio =>
  plan.ratio.over(horizon(plan))

/** A plan's learning rate over its run. */
export const learningRate = (plan: Pick<DistillPlan, "learningRate" | "training">): Schedule.Schedule =>
  plan.learningRate.over(horizon(plan))

/** The description of a plan: what a cell's key is hashed from. Raise the version when the run's arithmetic changes. */
export const spec = (plan: DistillPlan): Spec.Spec => {
  const named = Object.entries(plan).map(([name, { spec }]) => Spec.make(name, { parts: [spec] }))
  return Spec.make("distillation", { version: 1, parts: named.sort((a, b) => (a.name < b.name ? -1 : 1)) })
}
