import type { HostTensor, TensorSpec } from "../backend/index.ts"
import { ops, Tensor, tf } from "../backend/index.ts"
import type { Span, SpanExamples } from "../data/index.ts"
import { Bert, type BertConfig, type Dropout, type ParameterTensors, Tokens } from "../model/index.ts"
import * as TaskBatch from "./TaskBatch.ts"
import * as TunedModel from "./TunedModel.ts"

/** A batch of a span task's rows, always of the same shape. */
export interface SpanBatch {
  readonly tokens: Tokens.Tokens
  /** [rows, length]: 1 where an answer may begin or end. */
  readonly allowed: Float32Array
  /** [2 · rows]: the column where each row's answer begins, then where each ends. */
  readonly labels: Int32Array
}

/** A batch as compiled texts take it. */
export type SpanBatchTree<T> = {
  readonly tokens: Tokens.TokenTree<T>
  readonly allowed: T
  readonly labels: T
}

/** The examples of these numbers as a batch of `rows`; fewer are filled up with the first of them. */
export const of = (examples: SpanExamples, chosen: ArrayLike<number>, rows: number): SpanBatch => {
  const { length } = examples
  const allowed = new Float32Array(rows * length)
  const labels = new Int32Array(2 * rows)
  const numbers = TaskBatch.placed(chosen, rows)
  numbers.forEach((example, row) => {
    allowed.set(examples.allowed.subarray(example * length, (example + 1) * length), row * length)
    labels[row] = examples.starts[example] ?? 0
    labels[rows + row] = examples.ends[example] ?? 0
  })
  return { tokens: TaskBatch.gather(examples, numbers).tokens, allowed, labels }
}

/** The batch as host tensors. */
export const inputs = ({ tokens, allowed, labels }: SpanBatch): SpanBatchTree<HostTensor> => ({
  tokens: Tokens.inputs(tokens),
  allowed: Tensor.of(allowed, [tokens.rows, tokens.length]),
  labels: Tensor.of(labels)
})

/** The signature of `inputs`. */
export const signature = ({ tokens, labels }: SpanBatch): SpanBatchTree<TensorSpec> => ({
  tokens: Tokens.signature(tokens),
  allowed: Tensor.float(tokens.rows, tokens.length),
  labels: Tensor.int(labels.length)
})

/** Large enough to silence a logit. */
const silenced = -1e4

/**
 * The logits of the start of each row's answer and then of the end of each, [2 · rows, length] (Devlin et al. 2019, §4.2); where
 * an answer may not lie they are silenced.
 */
export const logits = (
  config: BertConfig.BertConfig,
  shape: Tokens.Tokens,
  params: ParameterTensors,
  batch: SpanBatchTree<tf.Tensor>,
  dropout?: Dropout.Dropout
): tf.Tensor => {
  const { rows, length } = shape
  const options = dropout === undefined ? {} : { dropout }
  const states = Bert.last(Bert.encode(params, config, Tokens.tensors(shape, batch.tokens), options))
  const both = tf.reshape(tf.transpose(TunedModel.head(params, states)), [2, rows, length])
  const silence = tf.mul(tf.sub(1, batch.allowed), silenced)
  return tf.reshape(tf.add(both, tf.reshape(silence, [1, rows, length])), [2 * rows, length])
}

/** The loss of a batch: the mean cross-entropy of starts and ends, nats. */
export const loss = (logits: tf.Tensor, batch: SpanBatchTree<tf.Tensor>): tf.Tensor =>
  tf.mean(ops.crossEntropy(logits, batch.labels))

/** A span and the sum of its two logits. */
export interface ScoredSpan extends Span {
  readonly score: number
}

/** The span of a row with the highest sum of logits: start ≤ end < start + longest, both allowed; the first of equals. */
export const best = (
  row: { readonly starts: ArrayLike<number>; readonly ends: ArrayLike<number>; readonly allowed: ArrayLike<number> },
  longest: number
): ScoredSpan | undefined => {
  let found: ScoredSpan | undefined
  const { starts, ends, allowed } = row
  for (let start = 1; start < allowed.length; start++) {
    if (allowed[start] !== 1) continue
    for (let end = start; end < Math.min(start + longest, allowed.length); end++) {
      const score = (starts[start] ?? 0) + (ends[end] ?? 0)
      if (allowed[end] === 1 && (found === undefined || score > found.score)) found = { start, end, score }
    }
  }
  return found
}
