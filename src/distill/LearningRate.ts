import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Schedule } from "../schedule/index.ts"
import { Spec } from "../spec/index.ts"

/** A learning rate that becomes a schedule once the number of steps of a run is known. */
export interface LearningRate {
  readonly spec: Spec.Spec
  readonly over: (steps: number) => Schedule.Schedule
}

/** The learning rate of a run. */
export class LearningRateService extends Context.Service<LearningRateService, LearningRate>()(
  "homodistil/LearningRate"
) {}

/** Provides a learning rate. */
export const layer = (rate: LearningRate): Layer.Layer<LearningRateService> =>
  Layer.succeed(LearningRateService, LearningRateService.of(rate))

/**
 * A linear warm-up to `peak`, then a linear fall to zero at the end of the run.
 *
 * Throws `ConfigError` when the peak is not positive or the warm-up share outside [0, 1].
 *
 * @example
 * ```ts
 * import { LearningRate } from "homodistil/distill"
 * const rate = LearningRate.linearDecay({ peak: 3e-3, warmup: 0.05 }).over(400)
 * assert.equal(rate.at(19), 3e-3)
 * ```
 */
export const linearDecay = (options: { readonly peak: number; readonly warmup: number }): LearningRate => {
  const over = (steps: number): Schedule.Schedule => Schedule.linearDecayWithWarmup({ ...options, steps })
  over(1)
  return { spec: Spec.make("linearDecay", { options }), over }
}

/**
 * The micro setting: 6e-3 after 5 % warm-up, then a linear fall: the better of the rates tried for students of a quarter of each axis;
 * those of a half end closer to the teacher at 3e-3.
 */
export const micro: LearningRate = linearDecay({ peak: 6e-3, warmup: 0.05 })
