import { type HostTensor, Tensor, type TensorSpec, tf } from "../backend/index.ts"
import type { Examples, Task } from "../data/index.ts"
import { Tokens } from "../model/index.ts"

/** What of a row's hidden states stands for the row: their mean over its pieces, or the state of [CLS]. */
export type Pooling = "mean" | "cls"

/** A batch of a task's examples, always of the same shape: what is missing at the end is filled up, and weighs nothing. */
export interface TaskBatch {
  readonly tokens: Tokens.Tokens
  /** [rows, length]: the share of each piece in what stands for its row. */
  readonly pool: Float32Array
  /** One for each piece or each row, 0 where there is none. */
  readonly labels: Int32Array
  /** 1 where a label counts and 0 elsewhere. */
  readonly weights: Float32Array
}

/** A batch as compiled texts take it. */
export type TaskBatchTree<T> = {
  readonly tokens: Tokens.TokenTree<T>
  readonly pool: T
  readonly labels: T
  readonly weights: T
}

/** What `pooled` weighs the pieces of each row by: alike where there are any, or [CLS] alone. */
export const poolOf = (attention: Float32Array, rows: number, length: number, pooling: Pooling): Float32Array => {
  const pool = new Float32Array(rows * length)
  for (let row = 0; row < rows; row++) {
    const pieces = attention.subarray(row * length, (row + 1) * length)
    const count = pieces.reduce((sum, x) => sum + x, 0)
    for (let at = 0; at < length; at++)
      pool[row * length + at] = pooling === "cls" ? Number(at === 0) : (pieces[at] ?? 0) / Math.max(1, count)
  }
  return pool
}

/** What examples of any kind hold of their text. */
type Texts = Pick<Examples, "length" | "ids" | "attention" | "types">

/** The number of the example that stands in each of `rows` rows: the chosen ones, filled up with the first of them. */
export const placed = (chosen: ArrayLike<number>, rows: number): ReadonlyArray<number> =>
  Array.from({ length: rows }, (_, row) => chosen[row] ?? chosen[0] ?? 0)

/** The text of the examples of these numbers, and which of its pieces are no padding. */
export const gather = (
  examples: Texts,
  numbers: ReadonlyArray<number>
): { readonly tokens: Tokens.Tokens; readonly attention: Float32Array } => {
  const { length } = examples
  const rows = numbers.length
  const ids = new Int32Array(rows * length)
  const types = new Int32Array(rows * length)
  const attention = new Float32Array(rows * length)
  numbers.forEach((example, row) => {
    const [from, to] = [example * length, (example + 1) * length]
    ids.set(examples.ids.subarray(from, to), row * length)
    attention.set(examples.attention.subarray(from, to), row * length)
    if (examples.types !== undefined) types.set(examples.types.subarray(from, to), row * length)
  })
  // one text serves all batches of the examples: whether there is padding is asked of them together
  const padded = examples.attention.includes(0)
  const tokens: Tokens.Tokens = {
    rows,
    length,
    ids,
    attention: padded ? attention : undefined,
    types: examples.types === undefined ? undefined : types
  }
  return { tokens, attention }
}

/**
 * The examples of these numbers as a batch of `rows`; fewer are filled up with the first of them, at weight 0.
 */
export const of = (
  kind: Task["kind"],
  examples: Examples,
  chosen: ArrayLike<number>,
  { rows, pooling }: { readonly rows: number; readonly pooling: Pooling }
): TaskBatch => {
  const { length } = examples
  const labelled = kind === "token" ? length : 1
  const labels = new Int32Array(rows * labelled)
  const weights = new Float32Array(rows * labelled)
  const numbers = placed(chosen, rows)
  numbers.forEach((example, row) => {
    for (let i = 0; i < labelled && row < chosen.length; i++) {
      const label = examples.labels[example * labelled + i] ?? -1
      labels[row * labelled + i] = Math.max(0, label)
      weights[row * labelled + i] = label < 0 ? 0 : 1
    }
  })
  const { tokens, attention } = gather(examples, numbers)
  return { tokens, pool: poolOf(attention, rows, length, pooling), labels, weights }
}

/** All examples in their order, in batches of one shape. */
export const all = (
  kind: Task["kind"],
  examples: Examples,
  options: { readonly rows: number; readonly pooling: Pooling }
): ReadonlyArray<TaskBatch> =>
  Array.from({ length: Math.ceil(examples.count / options.rows) }, (_, batch) => {
    const first = batch * options.rows
    const count = Math.min(options.rows, examples.count - first)
    return of(
      kind,
      examples,
      Array.from({ length: count }, (_, i) => first + i),
      options
    )
  })

/** The batch as host tensors. */
export const inputs = ({ tokens, pool, labels, weights }: TaskBatch): TaskBatchTree<HostTensor> => ({
  tokens: Tokens.inputs(tokens),
  pool: Tensor.of(pool, [tokens.rows, tokens.length]),
  labels: Tensor.of(labels),
  weights: Tensor.of(weights)
})

/** The signature of `inputs`. */
export const signature = ({ tokens, labels }: TaskBatch): TaskBatchTree<TensorSpec> => ({
  tokens: Tokens.signature(tokens),
  pool: Tensor.float(tokens.rows, tokens.length),
  labels: Tensor.int(labels.length),
  weights: Tensor.float(labels.length)
})

/** What stands for each row: its hidden states weighed by `pool`; [rows · length, hidden] becomes [rows, hidden]. */
export const pooled = (states: tf.Tensor, pool: tf.Tensor): tf.Tensor => {
  const [rows = 1, length = 1] = pool.shape
  const width = states.shape[1] ?? 1
  const byRow = tf.matMul(tf.reshape(pool, [rows, 1, length]), tf.reshape(states, [rows, length, width]))
  return tf.reshape(byRow, [rows, width])
}
