import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Backend, CompileError, ExecutionError } from "../backend/index.ts"
import { type Dataset, majorityShare, type Task, type TaskData } from "../data/index.ts"
import { type BertConfig, Flops, type Model } from "../model/index.ts"
import { type ConfigError, Options, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import * as Features from "./Features.ts"
import * as LogisticRegression from "./LogisticRegression.ts"
import { NotFinite } from "./NotFinite.ts"
import * as TaskExamples from "./TaskExamples.ts"

const Fields = Schema.Struct({
  train: Options.Count,
  test: Options.Count,
  length: Options.Count,
  l2: Options.Weight,
  iterations: Options.Count,
  tolerance: Options.Positive,
  rows: Options.Count,
  seed: Schema.Int
})

/**
 * How a task is probed: examples to learn from and to be judged on, in rows of `length`, chosen by `seed`; the weight `l2` of
 * the squared weights; when the fit ends (`iterations` at most, or no gradient entry above `tolerance`); `rows` of a batch.
 */
export type ProbeOptions = typeof Fields.Type

/** A probe of a task, with every option decided. */
export interface Probe {
  readonly spec: Spec.Spec
  readonly task: Task
  readonly options: ProbeOptions
}

/** What a probe found. */
export interface ProbeResult {
  /** Share of test labels predicted right, in [0, 1]. */
  readonly accuracy: number
  /** What always guessing the most frequent test label would get. */
  readonly majority: number
  /** The largest gradient entry where the fit ended, nats a row. */
  readonly slope: number
  readonly iterations: number
}

const shared = { length: 64, iterations: 200, tolerance: 2e-4, rows: 32, seed: 0 }

/** The options of the micro scale. */
export const defaults = (kind: Task["kind"]): ProbeOptions =>
  kind === "token" ? { ...shared, train: 400, test: 250, l2: 1e-4 } : { ...shared, train: 2000, test: 1000, l2: 3e-3 }

/** The options of a smoke test: every part runs, the number means little. */
export const small = (kind: Task["kind"]): ProbeOptions => ({
  ...defaults(kind),
  iterations: 30,
  ...(kind === "token" ? { train: 32, test: 32 } : { train: 64, test: 64 })
})

/**
 * A probe of a task; the options of the micro scale unless given.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { partOfSpeech } from "homodistil/data"
 * import { Probe } from "homodistil/evaluate"
 * assert.equal(Probe.make(partOfSpeech(), { train: 100 }).options.train, 100)
 * assert.throws(() => Probe.make(partOfSpeech(), { l2: -1 }), /probe\.l2 = -1/)
 * ```
 */
export const make = (task: Task, options: Partial<ProbeOptions> = {}): Probe => {
  const decoded = Options.decode("probe", Fields, { ...defaults(task.kind), ...options })
  return { task, options: decoded, spec: Spec.make("probe", { options: decoded, parts: [task.spec] }) }
}

/**
 * Probes a frozen model on given examples: a multinomial logistic regression from its hidden states to the labels.
 *
 * The features are those of `Features.of`, standardised by the mean and deviation among the training rows (Tenney et al. 2019
 * probe in this way; Alain & Bengio 2017). Nothing is drawn at random. Fails with `NotFinite` on a model of broken weights.
 */
export const onExamples = (
  { task, options }: Probe,
  given: Model.Model,
  { train, test }: TaskData
): Effect.Effect<ProbeResult, CompileError | ExecutionError | NotFinite, Backend> =>
  Effect.gen(function* () {
    const model = CutModel.of(given)
    const learned = yield* Features.of(model, task.kind, train, options)
    const { l2, iterations, tolerance } = options
    const fitted = yield* LogisticRegression.fit(learned, { classes: task.classes.length, l2, iterations, tolerance })
    if (!Number.isFinite(fitted.loss))
      return yield* new NotFinite({
        measure: `the probe of ${task.spec.name}`,
        step: fitted.iterations,
        value: String(fitted.loss)
      })
    const judged = yield* Features.of(model, task.kind, test, options)
    const accuracy = yield* LogisticRegression.accuracy(fitted, judged)
    return { accuracy, majority: majorityShare(test), slope: fitted.slope, iterations: fitted.iterations }
  })

/**
 * Floating-point operations of matrix products that a probe of a model of this shape takes: a forward pass over all examples, and the fit if
 * it takes every iteration and every piece has a label.
 *
 * @example
 * ```ts
 * import { genre } from "homodistil/data"
 * import { Probe } from "homodistil/evaluate"
 * import { BertConfig } from "homodistil/model"
 * const of = (train: number) => Probe.flops(Probe.make(genre(), { train, test: 10 }), BertConfig.micro)
 * assert.ok(of(200) > 6 * of(20))
 * ```
 */
export const flops = ({ task, options }: Probe, config: BertConfig.BertConfig): number => {
  const { train, test, length, iterations } = options
  const [labels, width] = task.kind === "token" ? [length, config.hidden] : [1, 2 * config.hidden]
  const scores = 2 * labels * width * task.classes.length
  // an iteration multiplies features by weights, and by what the scores are wrong by
  return Flops.forward(config, { rows: train + test, length, masked: 0 }) + (2 * iterations * train + test) * scores
}

/** As `onExamples`, on the examples its options name; fails with `ConfigError` when the dataset has fewer. */
export const run = (
  probe: Probe,
  model: Model.Model,
  dataset: Dataset
): Effect.Effect<ProbeResult, CompileError | ExecutionError | NotFinite | ConfigError, Backend> =>
  Effect.flatMap(TaskExamples.take(probe.task, dataset, probe.options), (data) => onExamples(probe, model, data))
