import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  type HostArray,
  Tensor,
  tf,
  transfer
} from "../backend/index.ts"
import type { MaskedBatch } from "../data/index.ts"
import { Model, Tokens } from "../model/index.ts"
import * as HeldOut from "./HeldOut.ts"
import * as TaskBatch from "./TaskBatch.ts"

/**
 * How alike the last hidden states of two models are on held-out text, as far as that can be told where their widths differ and no map leads
 * from one to the other.
 */
export interface SimilarityMeasures {
  /** Linear CKA of the states of all pieces (Kornblith et al. 2019, §3): in [0, 1], 1 where they are equal up to rotation and scale. */
  readonly states: number
  /**
   * Pearson's correlation, over all pairs of rows, between the cosines that the two models give the pair: in [-1, 1]. A row's embedding is the mean
   * of its pieces' states.
   */
  readonly sentences: number
  /** The mean cosine between the two embeddings of a row; only where widths are equal. */
  readonly cosine?: number
  /** Rows measured. */
  readonly rows: number
}

/** Sums over pieces in double precision: [width], and [width, width]. */
interface Moments {
  readonly pieces: number
  readonly sum: Float64Array
  readonly squares: Float64Array
}

/** Held-out batches with the last hidden states of a teacher, computed once for any number of students. */
export interface Reference {
  readonly batches: ReadonlyArray<MaskedBatch>
  readonly width: number
  /** [rows · length, width] of each batch; 0 at padding. */
  readonly states: ReadonlyArray<DeviceTensor>
  readonly moments: Moments
  /** The embedding of each row. */
  readonly rows: ReadonlyArray<HostArray>
}

const plus = (into: Float64Array, more: HostArray): void => {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] ?? 0) + (more[i] ?? 0)
}

const piecesOf = (batch: MaskedBatch): Float32Array => batch.attention ?? new Float32Array(batch.ids.length).fill(1)

const inputsOf = (batch: MaskedBatch) => {
  const pieces = piecesOf(batch)
  const [rows, length] = [batch.rows, batch.length]
  return {
    tokens: Tokens.inputs(batch),
    pieces: Tensor.host(pieces, [rows * length, 1]),
    pool: Tensor.host(TaskBatch.poolOf(pieces, rows, length, "mean"), [rows, length])
  }
}

const signatureOf = (model: Model.Model, batch: MaskedBatch) => ({
  model: Model.signature(model),
  tokens: Tokens.signature(batch),
  pieces: Tensor.float(batch.ids.length, 1),
  pool: Tensor.float(batch.rows, batch.length)
})

/** The last hidden states of a model, 0 at padding; what they sum up to; and each row's embedding. */
const encoded = (
  model: Model.Model,
  batch: MaskedBatch,
  x: HeldOut.EncodedInputs & { readonly pieces: tf.Tensor; readonly pool: tf.Tensor }
) => {
  const states = tf.mul(HeldOut.lastStates(model, batch, x), x.pieces)
  return {
    states,
    sum: tf.sum(states, 0),
    squares: tf.matMul(states, states, true),
    rows: TaskBatch.pooled(states, x.pool)
  }
}

/** The rows of a matrix of this width. */
const rowsOf = (data: HostArray, width: number): ReadonlyArray<HostArray> =>
  Array.from({ length: data.length / width }, (_, row) => data.slice(row * width, (row + 1) * width))

const emptyMoments = (batches: ReadonlyArray<MaskedBatch>, width: number): Moments => ({
  pieces: batches.reduce((all, batch) => all + piecesOf(batch).reduce((sum, piece) => sum + piece, 0), 0),
  sum: new Float64Array(width),
  squares: new Float64Array(width * width)
})

/** A teacher's last hidden states on held-out batches; they live as long as the scope. */
export const reference = (
  teacher: Model.Model,
  batches: ReadonlyArray<MaskedBatch>
): Effect.Effect<Reference, CompileError | ExecutionError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const width = teacher.config.hidden
    const moments = emptyMoments(batches, width)
    const rows: Array<HostArray> = []
    const states = yield* Effect.scoped(
      Effect.gen(function* () {
        const textOf = yield* HeldOut.byShape(batches, (batch) =>
          backend.compile("teacher states", signatureOf(teacher, batch), (x) => encoded(teacher, batch, x))
        )
        const model = yield* transfer.upload(backend, Model.inputs(teacher))
        const made = yield* Effect.forEach(batches, (batch) =>
          Effect.gen(function* () {
            const inputs = yield* transfer.upload(backend, inputsOf(batch))
            const { states, ...read } = yield* textOf(batch).run({ model, ...inputs })
            const values = yield* transfer.download(backend, read)
            yield* transfer.release(backend, [inputs, read])
            plus(moments.sum, values.sum.data)
            plus(moments.squares, values.squares.data)
            rows.push(...rowsOf(values.rows.data, width))
            return states
          })
        )
        yield* transfer.release(backend, model)
        return made
      })
    )
    yield* Effect.addFinalizer(() => transfer.release(backend, states))
    return { batches, width, states, moments, rows }
  })

/** ‖AᵀB‖² of centred columns, from sums of products and sums of each. */
const alignment = (products: Float64Array, left: Moments, right: Moments): number => {
  const width = right.sum.length
  let total = 0
  for (let i = 0; i < left.sum.length; i++)
    for (let j = 0; j < width; j++) {
      const centred = (products[i * width + j] ?? 0) - ((left.sum[i] ?? 0) * (right.sum[j] ?? 0)) / left.pieces
      total += centred * centred
    }
  return total
}

const dot = (a: HostArray, b: HostArray): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

const ofLengthOne = (rows: ReadonlyArray<HostArray>): ReadonlyArray<HostArray> =>
  rows.map((row) => {
    const length = Math.sqrt(dot(row, row))
    return Float32Array.from(row, (x) => (length === 0 ? 0 : x / length))
  })

/** Cosines of all pairs of rows. */
const cosines = (rows: ReadonlyArray<HostArray>): Float64Array => {
  const pairs = new Float64Array((rows.length * (rows.length - 1)) / 2)
  let at = 0
  rows.forEach((row, i) => {
    for (let j = 0; j < i; j++) pairs[at++] = dot(row, rows[j] ?? row)
  })
  return pairs
}

const correlation = (a: Float64Array, b: Float64Array): number => {
  const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / values.length
  const [ma, mb] = [mean(a), mean(b)]
  const centred = (values: Float64Array, by: number) => values.map((x) => x - by)
  const [x, y] = [centred(a, ma), centred(b, mb)]
  const product = (of: Float64Array, by: Float64Array) => of.reduce((sum, value, i) => sum + value * (by[i] ?? 0), 0)
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y))
}

/** What has no direction is like nothing: 0 in the place of 0 / 0. */
const known = (share: number): number => (Number.isNaN(share) ? 0 : share)

/**
 * Measures how alike a model's last hidden states are to a teacher's on held-out batches. Neither needs a head or a width of the other's, so it is
 * what can be said of bare encoders. Masked units count as gone.
 *
 * Fails as compiling and running do.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { OnnxBackend } from "homodistil/backend"
 * import { Similarity } from "homodistil/evaluate"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const none = new Int32Array(0)
 * const batch = { rows: 3, length: 4, ids: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 0, 2, 4, 6), attention: undefined, positions: none, labels: none }
 * const toItself = Effect.flatMap(Similarity.reference({ config, parameters }, [batch]), (teacher) =>
 *   Similarity.measure({ config, parameters }, teacher)
 * )
 * const made = Effect.scoped(toItself).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))
 * const { states, sentences } = await Effect.runPromise(made)
 * assert.ok(Math.abs(states - 1) < 1e-4 && Math.abs(sentences - 1) < 1e-4)
 * ```
 */
export const measure = (
  model: Model.Model,
  { batches, width: teacherWidth, states, moments: taught, rows: embeddings }: Reference
): Effect.Effect<SimilarityMeasures, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const width = model.config.hidden
      const textOf = yield* HeldOut.byShape(batches, (batch) =>
        backend.compile(
          "held-out states",
          { ...signatureOf(model, batch), teacher: Tensor.float(batch.ids.length, teacherWidth) },
          (x) => {
            const { states: own, ...rest } = encoded(model, batch, x)
            return { ...rest, cross: tf.matMul(x.teacher, own, true) }
          }
        )
      )
      const live = yield* transfer.upload(backend, Model.inputs(model))
      const own = emptyMoments(batches, width)
      const cross = new Float64Array(teacherWidth * width)
      const rows: Array<HostArray> = []
      for (const [i, batch] of batches.entries()) {
        const teacher = states[i]
        if (teacher === undefined) throw new RangeError("there are batches without a teacher's states")
        const inputs = yield* transfer.upload(backend, inputsOf(batch))
        const out = yield* textOf(batch).run({ model: live, ...inputs, teacher })
        const values = yield* transfer.download(backend, out)
        yield* transfer.release(backend, [inputs, out])
        plus(own.sum, values.sum.data)
        plus(own.squares, values.squares.data)
        plus(cross, values.cross.data)
        rows.push(...rowsOf(values.rows.data, width))
      }
      yield* transfer.release(backend, live)
      const [mine, theirs] = [ofLengthOne(rows), ofLengthOne(embeddings)]
      const both = alignment(cross, taught, own)
      const each = alignment(own.squares, own, own) * alignment(taught.squares, taught, taught)
      const paired = mine.map((row, i) => dot(row, theirs[i] ?? row))
      return {
        states: known(both / Math.sqrt(each)),
        sentences: known(correlation(cosines(mine), cosines(theirs))),
        ...(width === teacherWidth ? { cosine: paired.reduce((sum, x) => sum + x, 0) / paired.length } : {}),
        rows: rows.length
      }
    })
  )
