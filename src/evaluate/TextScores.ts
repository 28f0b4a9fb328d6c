import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  type TensorSpec,
  type tf,
  transfer
} from "../backend/index.ts"
import type { EncodedTask, EncodedTexts, TextMetric } from "../data/index.ts"
import { Bert, type BertConfig, type Dropout, type ParameterTensors, Tokens } from "../model/index.ts"
import * as LabelMetric from "./LabelMetric.ts"
import * as LengthBuckets from "./LengthBuckets.ts"
import * as TaskBatch from "./TaskBatch.ts"
import * as TextBatch from "./TextBatch.ts"
import * as TunedModel from "./TunedModel.ts"

/** What of a row's hidden states the head reads: their mean, the state of [CLS], or that through BERT's pooler. */
export type TextPooling = TaskBatch.Pooling | "pooler"

/** How texts are put into rows, and what of them the head reads. */
export interface TextReading {
  readonly rows: number
  /** Lengths of rows are multiples of this. */
  readonly bucket: number
  readonly pooling: TextPooling
}

/** The metrics of a split, by their names. */
export interface SplitScores {
  readonly split: string
  readonly metrics: { readonly [name in TextMetric]?: number }
}

/** The pooling that a batch's weights are made for: the pooler reads [CLS]. */
export const reads = (pooling: TextPooling): TaskBatch.Pooling => (pooling === "mean" ? "mean" : "cls")

/** The outputs of the head for a batch: [rows, classes], or [rows, 1] for scores. */
export const outputs = (
  { config, pooling }: { readonly config: BertConfig.BertConfig; readonly pooling: TextPooling },
  shape: { readonly rows: number; readonly length: number },
  params: ParameterTensors,
  batch: Pick<TaskBatch.TaskBatchTree<tf.Tensor>, "tokens" | "pool">,
  dropout?: Dropout.Dropout
): tf.Tensor => {
  const options = dropout === undefined ? {} : { dropout }
  const states = Bert.last(Bert.encode(params, config, Tokens.tensors(shape, batch.tokens), options))
  const pooled = TaskBatch.pooled(states, batch.pool)
  return TunedModel.head(params, pooling === "pooler" ? TunedModel.pooler(params, pooled) : pooled)
}

/** Makes something for each length once, when it is first asked for. */
export const byLength = <A, E, R>(
  make: (length: number) => Effect.Effect<A, E, R>
): ((length: number) => Effect.Effect<A, E, R>) => {
  const made = new Map<number, A>()
  return (length) => {
    const known = made.get(length)
    return known !== undefined
      ? Effect.succeed(known)
      : Effect.tap(make(length), (value) => Effect.sync(() => made.set(length, value)))
  }
}

/** The number of the largest of `count` numbers from `from` on. */
const largest = (values: ArrayLike<number>, from: number, count: number): number => {
  let best = 0
  for (let i = 1; i < count; i++) if ((values[from + i] ?? 0) > (values[from + best] ?? 0)) best = i
  return best
}

/** What a predictor is made for. */
export interface PredictorOptions {
  readonly encoded: EncodedTask
  readonly config: BertConfig.BertConfig
  readonly reading: TextReading
  readonly params: { readonly [name: string]: TensorSpec }
  /** What is seen of a parameter: all of it unless given. */
  readonly view?: (name: string, param: tf.Tensor) => tf.Tensor
}

/** Predicts the labels of texts, in their order: numbers of classes, or outputs of the head; reads live parameters. */
export type Predictor = (
  params: { readonly [name: string]: DeviceTensor },
  texts: EncodedTexts
) => Effect.Effect<Float64Array, CompileError | ExecutionError, Scope.Scope>

/** A predictor, compiled for each length of rows when it first occurs; its texts live as long as the scope. */
export const predictor = ({ encoded, config, reading, params, view }: PredictorOptions) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const { task, longest } = encoded
    const { rows, bucket, pooling } = reading
    const textOf = byLength((length) => {
      const { tokens, pool } = TextBatch.signature(task, { rows, length })
      return backend.compile(`labels of ${task.name}`, { params, batch: { tokens, pool } }, (x) => {
        const seen = Object.entries(x.params).map(([name, param]) => [name, view?.(name, param) ?? param] as const)
        return { outputs: outputs({ config, pooling }, { rows, length }, Object.fromEntries(seen), x.batch) }
      })
    })
    const predict: Predictor = (live, texts) =>
      Effect.gen(function* () {
        const predicted = new Float64Array(texts.count)
        const batches = LengthBuckets.all(TextBatch.lengths(texts), { rows, step: bucket, longest })
        for (const each of batches) {
          const text = yield* textOf(each.length)
          const batch = TextBatch.of(encoded, texts, each, { rows, pooling: reads(pooling) })
          const { tokens, pool } = TextBatch.inputs(batch)
          const given = yield* transfer.upload(backend, { tokens, pool })
          const out = yield* text.run({ params: live, batch: given })
          const { data, shape } = (yield* transfer.download(backend, out)).outputs
          yield* transfer.release(backend, [given, out])
          const width = shape[1] ?? 1
          each.chosen.forEach((n, row) => {
            predicted[n] =
              task.labels.kind === "classes" ? largest(data, row * width, width) : (data[row] ?? Number.NaN)
          })
        }
        return predicted
      })
    return predict
  })

/** The metrics of a task for predictions of a split. */
export const scoresOf = (
  { task }: Pick<EncodedTask, "task">,
  texts: EncodedTexts,
  predicted: ArrayLike<number>
): SplitScores => ({
  split: texts.name,
  metrics: Object.fromEntries(
    task.metrics.map((name) => [name, LabelMetric.byName[name](predicted, texts.labels.subarray(0, texts.count))])
  )
})

/**
 * The one number of a task, as GLUE has it: the mean of its metrics, and of its splits.
 *
 * @example
 * ```ts
 * import { TextScores } from "homodistil/evaluate"
 * assert.equal(TextScores.mean([{ split: "dev", metrics: { f1: 0.5, accuracy: 0.7 } }]).toFixed(2), "0.60")
 * ```
 */
export const mean = (splits: ReadonlyArray<SplitScores>): number => {
  const values = splits.flatMap(({ metrics }) => Object.values(metrics))
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The scores of fine-tuned parameters on the splits a task is judged on. */
export const of = (
  encoded: EncodedTask,
  config: BertConfig.BertConfig,
  params: TunedModel.TunedParameters,
  reading: TextReading
): Effect.Effect<ReadonlyArray<SplitScores>, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const predict = yield* predictor({ encoded, config, reading, params: TunedModel.signature(params) })
      const live = yield* transfer.upload(backend, params)
      yield* Effect.addFinalizer(() => transfer.release(backend, live))
      return yield* Effect.forEach(encoded.dev, (texts) =>
        Effect.map(predict(live, texts), (predicted) => scoresOf(encoded, texts, predicted))
      )
    })
  )
