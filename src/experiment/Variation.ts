import type * as Layer from "effect/Layer"
import type {
  LearningRateService,
  ProjectionService,
  PruningModeService,
  StudentInitService,
  TrainingService
} from "../distill/index.ts"
import type { ScorerService } from "../importance/index.ts"
import type { LossService } from "../loss/index.ts"
import type { OptimizerService } from "../optimizer/index.ts"
import type { GranularityService, RankingService, RemainingRatioService } from "../pruning/index.ts"

/** The service behind each component of a plan: what may be varied, under the name it has there. */
export interface ServiceOf {
  readonly loss: LossService
  readonly scorer: ScorerService
  readonly ratio: RemainingRatioService
  readonly granularity: GranularityService
  readonly ranking: RankingService
  readonly optimizer: OptimizerService
  readonly learningRate: LearningRateService
  readonly student: StudentInitService
  readonly projection: ProjectionService
  readonly mode: PruningModeService
  readonly training: TrainingService
}

/** What is varied: for some components of the plan, the layers that take turns in providing it. */
export type Variation = { readonly [K in keyof ServiceOf]?: ReadonlyArray<Layer.Layer<ServiceOf[K]>> }

const order: ReadonlyArray<keyof ServiceOf> = [
  "student",
  "loss",
  "scorer",
  "ratio",
  "granularity",
  "ranking",
  "optimizer",
  "learningRate",
  "projection",
  "mode",
  "training"
]

/** Varied components in the order they are written. */
export const keysOf = (vary: Variation): ReadonlyArray<keyof ServiceOf> =>
  order.filter((key) => vary[key] !== undefined)

/** Every combination of one layer for each varied component, as a layer that replaces the method's. */
export const combinations = (vary: Variation): ReadonlyArray<ReadonlyArray<Layer.Layer<never>>> =>
  keysOf(vary).reduce<ReadonlyArray<ReadonlyArray<Layer.Layer<never>>>>(
    (rows, key) => rows.flatMap((row) => (vary[key] ?? []).map((layer) => [...row, layer])),
    [[]]
  )

/** Whether a key names a component that can be varied. */
export const isComponent = (key: string): key is keyof ServiceOf => order.some((component) => component === key)
