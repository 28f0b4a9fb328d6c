import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"

const Fields = Schema.Struct({
  steps: Options.withDefault(Options.Count, 400),
  rows: Options.withDefault(Options.Count, 16),
  length: Options.withDefault(Options.Count, 64),
  maskRate: Options.withDefault(Options.Fraction, 0.15),
  pruneEvery: Options.withDefault(Options.Count, 10),
  hiddenDropout: Options.withDefault(Options.Decay, 0),
  attentionDropout: Options.withDefault(Options.Decay, 0)
})

/**
 * The length of a run and the shape of its batches: steps, rows and length of a batch, the share of masked pieces (none
 * for losses that look at no predictions: text is then read as it is), the steps between two prunings, and dropout (off by default while distilling).
 */
export type TrainingOptions = typeof Fields.Encoded

/** The decoded options, and their description. */
export interface Training extends Readonly<typeof Fields.Type> {
  readonly spec: Spec.Spec
}

/** How long a run trains, and on batches of which shape. */
export class TrainingService extends Context.Service<TrainingService, Training>()("homodistil/Training") {}

/**
 * Training options, the micro setting unless given.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { Training } from "homodistil/distill"
 * assert.equal(Training.make({ steps: 100 }).rows, 16)
 * assert.throws(() => Training.make({ steps: 0 }), /steps = 0/)
 * ```
 */
export const make = (options: TrainingOptions = {}): Training => described(Options.decode("training", Fields, options))

const described = (options: typeof Fields.Type): Training => ({ ...options, spec: Spec.make("training", { options }) })

/**
 * No training at all, on batches as given: the student stays as it starts.
 *
 * @example
 * ```ts
 * import { Training } from "homodistil/distill"
 * assert.deepEqual([Training.none().steps, Training.none({ rows: 4 }).rows], [0, 4])
 * ```
 */
export const none = (options: Omit<TrainingOptions, "steps"> = {}): Training =>
  described({ ...Options.decode("training", Fields, options), steps: 0 })

/** Provides training options. */
export const layer = (training: Training): Layer.Layer<TrainingService> =>
  Layer.succeed(TrainingService, TrainingService.of(training))
