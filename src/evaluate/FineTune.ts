import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Backend, type CompileError, type ExecutionError, ops, tf, transfer } from "../backend/index.ts"
import { type Dataset, type Examples, majorityShare, type Task, type TaskData } from "../data/index.ts"
import { Bert, type BertConfig, type Dropout, type Model, type ParameterTensors, Tokens } from "../model/index.ts"
import { type ConfigError, Options, type Seed, Spec } from "../spec/index.ts"
import * as CutModel from "./CutModel.ts"
import type { NotFinite } from "./NotFinite.ts"
import * as TaskBatch from "./TaskBatch.ts"
import * as TaskExamples from "./TaskExamples.ts"
import * as TunedModel from "./TunedModel.ts"
import * as Tuning from "./Tuning.ts"

const Fields = Schema.Struct({
  train: Options.Count,
  test: Options.Count,
  length: Options.Count,
  steps: Options.Count,
  rows: Options.Count,
  learningRate: Options.Positive,
  warmup: Options.Fraction,
  weightDecay: Options.Weight,
  hiddenDropout: Options.Decay,
  attentionDropout: Options.Decay,
  pooling: Schema.Literals(["mean", "cls"]),
  seed: Schema.Int
})

/**
 * How a model is fine-tuned on a task: examples to learn from and to be judged on, in rows of `length`, chosen by `seed`;
 * `steps` of `rows` examples; AdamW with the highest `learningRate` after the share `warmup` of the steps, then a linear fall
 * to 0; dropout; what of a row the head of a sequence task reads (`pooling`).
 */
export type FineTuneOptions = typeof Fields.Type

/** The fine-tuning of a task, with every option decided. */
export interface FineTune {
  readonly spec: Spec.Spec
  readonly task: Task
  readonly options: FineTuneOptions
}

/** What fine-tuning reached. */
export interface FineTuneResult {
  /** Share of test labels predicted right, in [0, 1]. */
  readonly accuracy: number
  /** What always guessing the most frequent test label would get. */
  readonly majority: number
  /** The loss of the last step, nats a label. */
  readonly loss: number
}

// attention dropout costs a small model as much as the rest of its step; it is there to be turned on
const shared = {
  length: 64,
  rows: 16,
  warmup: 0.1,
  weightDecay: 0.01,
  hiddenDropout: 0.1,
  attentionDropout: 0,
  pooling: "mean",
  seed: 0
} as const

/** The options of the micro scale: those at which the micro teacher does best in seconds. */
export const defaults = (kind: Task["kind"]): FineTuneOptions =>
  kind === "token"
    ? { ...shared, train: 1280, test: 250, steps: 80, learningRate: 2e-3 }
    : { ...shared, train: 2560, test: 1000, steps: 160, learningRate: 5e-4 }

/** The options of a smoke test: every part runs, the number means little. */
export const small = (kind: Task["kind"]): FineTuneOptions => ({
  ...defaults(kind),
  train: 64,
  test: 32,
  steps: 4
})

/**
 * The fine-tuning of a task; the options of the micro scale unless given.
 *
 * Throws `ConfigError` with every illegal option at once.
 *
 * @example
 * ```ts
 * import { genre } from "homodistil/data"
 * import { FineTune } from "homodistil/evaluate"
 * assert.equal(FineTune.make(genre(), { steps: 10 }).options.steps, 10)
 * assert.throws(() => FineTune.make(genre(), { steps: 0 }), /fineTune\.steps = 0/)
 * ```
 */
export const make = (task: Task, options: Partial<FineTuneOptions> = {}): FineTune => {
  const decoded = Options.decode("fineTune", Fields, { ...defaults(task.kind), ...options })
  return { task, options: decoded, spec: Spec.make("fineTune", { options: decoded, parts: [task.spec] }) }
}

/** The head's logits, one row for each label of the batch. */
const logitsOf = (
  { task }: FineTune,
  config: BertConfig.BertConfig,
  shape: Tokens.Tokens,
  params: ParameterTensors,
  batch: TaskBatch.TaskBatchTree<tf.Tensor>,
  dropout?: Dropout.Dropout
): tf.Tensor => {
  const options = dropout === undefined ? {} : { dropout }
  const states = Bert.last(Bert.encode(params, config, Tokens.tensors(shape, batch.tokens), options))
  const read = task.kind === "token" ? states : TaskBatch.pooled(states, batch.pool)
  return TunedModel.head(params, read)
}

/** The share of labels predicted right by live parameters. */
const accuracyOf = (
  tuning: FineTune,
  config: BertConfig.BertConfig,
  tuned: TunedModel.TunedParameters,
  examples: Examples
): Effect.Effect<number, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const batches = TaskBatch.all(tuning.task.kind, examples, tuning.options)
      const [first] = batches
      if (first === undefined) return Number.NaN
      const compiled = yield* backend.compile(
        "fine-tuned accuracy",
        { params: TunedModel.signature(tuned), batch: TaskBatch.signature(first) },
        ({ params, batch }) => {
          const logits = logitsOf(tuning, config, first.tokens, params, batch)
          const right = tf.cast(tf.equal(tf.argMax(logits, -1), batch.labels), "float32")
          return { right: tf.sum(tf.mul(right, batch.weights)) }
        }
      )
      const params = yield* transfer.upload(backend, tuned)
      yield* Effect.addFinalizer(() => transfer.release(backend, params))
      let [right, all] = [0, 0]
      for (const batch of batches) {
        const live = yield* transfer.upload(backend, TaskBatch.inputs(batch))
        const out = yield* compiled.run({ params, batch: live })
        right += (yield* transfer.download(backend, out)).right.data[0] ?? Number.NaN
        all += batch.weights.reduce((sum, weight) => sum + weight, 0)
        yield* transfer.release(backend, [live, out])
      }
      return right / all
    })
  )

/**
 * Fine-tunes a copy of a model on given examples and says how well it then does (Devlin et al. 2019, §4).
 *
 * All weights of the encoder and a linear head on the hidden states move, by AdamW; the seed decides the head's start, the
 * order of the examples and dropout, and the same seed gives the same number. A masked model is cut first, so that silent
 * units stay silent. Fails with `NotFinite` when the loss does.
 */
export const onExamples = (
  tuning: FineTune,
  given: Model.Model,
  { train, test }: TaskData,
  seed: Seed.Seed
): Effect.Effect<FineTuneResult, CompileError | ExecutionError | NotFinite, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const { task, options } = tuning
      const model = CutModel.of(given)
      const { config } = model
      const dropout = Tuning.dropout(model, options, train.length, seed)
      const order = Tuning.exampleOrder(train.count, options.rows, seed)
      const batchAt = (step: number) => TaskBatch.of(task.kind, train, order(step), options)
      const first = batchAt(0)
      const { params, loss } = yield* Tuning.train({
        name: `fine-tuning on ${task.spec.name}`,
        model,
        outputs: task.classes.length,
        seed,
        options,
        inputs: { batch: TaskBatch.signature(first), draws: dropout.signature },
        loss: (seen, { batch, draws }) => {
          const logits = logitsOf(tuning, config, first.tokens, seen, batch, { rates: dropout.rates, draws })
          const losses = ops.crossEntropy(logits, batch.labels)
          return tf.div(tf.sum(tf.mul(losses, batch.weights)), tf.sum(batch.weights))
        },
        inputsAt: (t) =>
          transfer.upload(backend, {
            batch: TaskBatch.inputs(t === 0 ? first : batchAt(t)),
            draws: dropout.at(t)
          })
      })
      const accuracy = yield* accuracyOf(tuning, config, params, test)
      return { accuracy, majority: majorityShare(test), loss }
    })
  )

/** As `onExamples`, on the examples its options name; fails with `ConfigError` when the dataset has fewer. */
export const run = (
  tuning: FineTune,
  model: Model.Model,
  dataset: Dataset,
  seed: Seed.Seed
): Effect.Effect<FineTuneResult, CompileError | ExecutionError | NotFinite | ConfigError, Backend> =>
  Effect.flatMap(TaskExamples.take(tuning.task, dataset, tuning.options), (data) =>
    onExamples(tuning, model, data, seed)
  )
