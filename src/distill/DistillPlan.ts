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
import { ConfigError, Spec } from "../spec/index.ts"
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

/**
 * Whether it is time to prune once `done` steps are done, scores or not: every K steps, when the ratio becomes final, and, of single weights,
 * after the last step.
 */
export const isTime = (
  { training, mode }: Pick<DistillPlan, "training" | "mode">,
  { ends }: Pick<RemainingRatio.CheckedRatio, "ends">,
  done: number
): boolean =>
  done % training.pruneEvery === 0 || done === ends || (mode.unstructured === true && done === training.steps)

/** Steps after which the scorer has scores. */
export const begins = ({ scorer }: Pick<DistillPlan, "scorer">): number => scorer.begins ?? 1

/** The last time to prune in a run; 0 where nothing is pruned. */
const lastTime = (plan: DistillPlan, over: RemainingRatio.CheckedRatio): number => {
  let done = plan.student.final || over.final === 1 ? 0 : plan.training.steps
  while (done > 0 && !isTime(plan, over, done)) done--
  return done
}

/** Whether it is time to prune before the scorer has scores. */
const waits = (plan: DistillPlan): boolean => {
  const over = plan.ratio.over(horizon(plan))
  const early = Math.min(begins(plan) - 1, lastTime(plan, over))
  for (let done = 1; done <= early; done++) if (isTime(plan, over, done)) return true
  return false
}

/**
 * A plan's remaining ratio over its run.
 *
 * Throws `ConfigError` where it breaks the promises of `CheckedRatio`, or where the scorer has no scores before the last pruning.
 */
export const ratio = (plan: DistillPlan): RemainingRatio.CheckedRatio => {
  const over = plan.ratio.over(horizon(plan))
  const [last, first] = [lastTime(plan, over), begins(plan)]
  if (last > 0 && first > last)
    throw new ConfigError({
      problems: [
        {
          key: "steps",
          value: String(plan.training.steps),
          bound: `enough for the last pruning, after step ${last}, to be ranked by scores: ${Spec.describe(plan.scorer.spec)} has none before step ${first}`,
          remedy: "train longer, prune oftener, or give the scorer a shorter window"
        }
      ]
    })
  return over
}

/** A plan's learning rate over its run. */
export const learningRate = (plan: Pick<DistillPlan, "learningRate" | "training">): Schedule.Schedule =>
  plan.learningRate.over(horizon(plan))

/**
 * The description of a plan: what a cell's key is hashed from. Raise the version when the run's arithmetic changes.
 *
 * Version 2 are plans whose first pruning waits for scores: in version 1 their units were ranked by zeros.
 */
export const spec = (plan: DistillPlan): Spec.Spec => {
  const named = Object.entries(plan).map(([name, { spec }]) => Spec.make(name, { parts: [spec] }))
  return Spec.make("distillation", {
    version: waits(plan) ? 2 : 1,
    parts: named.sort((a, b) => (a.name < b.name ? -1 : 1))
  })
}
