import { type HostTensor, Tensor, type TensorSpec } from "../backend/index.ts"
import type { EncodedTask, EncodedTexts } from "../data/index.ts"
import { Tokens } from "../model/index.ts"
import type { LengthBatch } from "./LengthBuckets.ts"
import * as TaskBatch from "./TaskBatch.ts"

/** A batch of labelled texts of one length; what is missing is filled up, and weighs nothing. */
export interface TextBatch {
  readonly tokens: Tokens.Tokens
  /** [rows, length]: the share of each piece in what stands for its row. */
  readonly pool: Float32Array
  /** [rows]: numbers of classes, or scores. */
  readonly labels: Float64Array
  /** [rows]: 1 for a text, 0 for what fills up. */
  readonly weights: Float32Array
}

/** The pieces of each text. */
export const lengths = ({ count, offsets }: EncodedTexts): Int32Array =>
  Int32Array.from({ length: count }, (_, n) => (offsets[n + 1] ?? 0) - (offsets[n] ?? 0))

/** The texts of these numbers as a batch of `rows`; fewer are filled up with the first of them, at weight 0. */
export const of = (
  { task, pad }: Pick<EncodedTask, "task" | "pad">,
  texts: EncodedTexts,
  { length, chosen }: LengthBatch,
  { rows, pooling }: { readonly rows: number; readonly pooling: TaskBatch.Pooling }
): TextBatch => {
  const ids = new Int32Array(rows * length).fill(pad)
  const types = new Int32Array(rows * length)
  const attention = new Float32Array(rows * length)
  const labels = new Float64Array(rows)
  const weights = new Float32Array(rows)
  TaskBatch.placed(chosen, rows).forEach((text, row) => {
    const [from = 0, to = 0] = texts.offsets.subarray(text, text + 2)
    const at = row * length
    ids.set(texts.ids.subarray(from, to), at)
    attention.fill(1, at, at + to - from)
    types.fill(1, at + (texts.seconds[text] ?? 0), at + to - from)
    labels[row] = texts.labels[text] ?? 0
    weights[row] = row < chosen.length ? 1 : 0
  })
  const tokens: Tokens.Tokens = { rows, length, ids, attention, types: task.pair ? types : undefined }
  return { tokens, pool: TaskBatch.poolOf(attention, rows, length, pooling), labels, weights }
}

/** The batch as host tensors; labels as numbers of classes, or scores less `centre`, over `spread`. */
export const inputs = (
  { tokens, pool, labels, weights }: TextBatch,
  scores?: { readonly centre: number; readonly spread: number }
): TaskBatch.TaskBatchTree<HostTensor> => ({
  tokens: Tokens.inputs(tokens),
  pool: Tensor.of(pool, [tokens.rows, tokens.length]),
  labels:
    scores === undefined
      ? Tensor.of(Int32Array.from(labels))
      : Tensor.of(Float32Array.from(labels, (label) => (label - scores.centre) / scores.spread)),
  weights: Tensor.of(weights)
})

/** The signature of `inputs`. */
export const signature = (
  task: EncodedTask["task"],
  { rows, length }: { readonly rows: number; readonly length: number }
): TaskBatch.TaskBatchTree<TensorSpec> => ({
  tokens: {
    ids: Tensor.int(rows * length),
    attention: { mask: Tensor.float(rows, length) },
    types: task.pair ? { ids: Tensor.int(rows * length) } : {}
  },
  pool: Tensor.float(rows, length),
  labels: task.labels.kind === "classes" ? Tensor.int(rows) : Tensor.float(rows),
  weights: Tensor.float(rows)
})
