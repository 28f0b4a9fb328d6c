import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  ops,
  Tensor,
  tf,
  transfer
} from "../backend/index.ts"
import type { MaskedBatch } from "../data/index.ts"
import { Bert, Model, Tokens } from "../model/index.ts"

/** What held-out batches say of a model. */
export interface HeldOutMeasures {
  /** Mean masked-language-model loss, nats a masked token. */
  readonly loss: number
  /** Share of masked tokens predicted right, in [0, 1]; the 10 % that are shown unmasked count, so copying alone gives .1. */
  readonly accuracy: number
  /** Mean KL(teacher ‖ student), nats a masked token; 0 where there is no teacher to compare with. */
  readonly discrepancy: number
  /** Masked tokens measured. */
  readonly tokens: number
}

/** Held-out batches with the teacher's logits at their masked positions, computed once for any number of students. */
export interface Reference {
  readonly batches: ReadonlyArray<MaskedBatch>
  /** [masked positions, vocab] of each batch; empty where there is no teacher. */
  readonly logits: ReadonlyArray<DeviceTensor>
}

const kept = (x: { readonly [name: string]: tf.Tensor }): Bert.ForwardOptions => {
  const hidden = x["hidden"]
  return hidden === undefined ? {} : { keptHidden: hidden }
}

const shapeKey = (batch: MaskedBatch): string => `${Tokens.shapeKey(batch)}/${batch.positions.length}`

/** One compiled text for each shape that occurs among the batches. */
export const byShape = <A, E, R>(
  batches: ReadonlyArray<MaskedBatch>,
  compile: (batch: MaskedBatch) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const made = new Map<string, A>()
    for (const batch of batches) if (!made.has(shapeKey(batch))) made.set(shapeKey(batch), yield* compile(batch))
    return (batch: MaskedBatch): A => {
      const text = made.get(shapeKey(batch))
      if (text === undefined) throw new RangeError(`no text for batches of shape ${shapeKey(batch)}`)
      return text
    }
  })

/** A model and a batch as a text sees them. */
export interface EncodedInputs {
  readonly model: {
    readonly parameters: { readonly [name: string]: tf.Tensor }
    readonly kept: { readonly [name: string]: tf.Tensor }
  }
  readonly tokens: Tokens.TokenTree<tf.Tensor>
}

/** The last hidden states of a model, masked or not: [rows * length, hidden]. */
export const lastStates = ({ config }: Model.Model, batch: MaskedBatch, { model, tokens }: EncodedInputs): tf.Tensor =>
  Bert.last(Bert.encode(model.parameters, config, Tokens.tensors(batch, tokens), kept(model.kept)))

const logitsOf = (
  model: Model.Model,
  batch: MaskedBatch,
  x: EncodedInputs & { readonly positions: tf.Tensor }
): tf.Tensor =>
  Bert.maskedLmLogits(x.model.parameters, model.config, lastStates(model, batch, x), x.positions, kept(x.model.kept))

/** Batches without a teacher: only loss and accuracy can be measured on them. */
export const withoutTeacher = (batches: ReadonlyArray<MaskedBatch>): Reference => ({ batches, logits: [] })

/** The teacher's logits on held-out batches; they live as long as the scope. */
export const reference = (
  teacher: Model.Model,
  batches: ReadonlyArray<MaskedBatch>
): Effect.Effect<Reference, CompileError | ExecutionError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const logits = yield* Effect.scoped(
      Effect.gen(function* () {
        const textOf = yield* byShape(batches, (batch) =>
          backend.compile(
            "teacher logits",
            {
              model: Model.signature(teacher),
              tokens: Tokens.signature(batch),
              positions: Tensor.int(batch.positions.length)
            },
            (x) => logitsOf(teacher, batch, x)
          )
        )
        const model = yield* transfer.upload(backend, Model.inputs(teacher))
        const made = yield* Effect.forEach(batches, (batch) =>
          Effect.gen(function* () {
            const inputs = yield* transfer.upload(backend, {
              tokens: Tokens.inputs(batch),
              positions: Tensor.of(batch.positions)
            })
            const out = yield* textOf(batch).run({ model, ...inputs })
            yield* transfer.release(backend, inputs)
            return out
          })
        )
        yield* transfer.release(backend, model)
        return made
      })
    )
    yield* Effect.addFinalizer(() => transfer.release(backend, logits))
    return { batches, logits }
  })

/**
 * Measures a model on held-out batches: masked-language-model loss, accuracy and, against a teacher's logits, the prediction
 * discrepancy of the paper's Fig. 3.
 */
export const measure = (
  model: Model.Model,
  { batches, logits }: Reference
): Effect.Effect<HeldOutMeasures, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const textOf = yield* byShape(batches, (batch) =>
        backend.compile(
          "held-out measures",
          {
            model: Model.signature(model),
            tokens: Tokens.signature(batch),
            positions: Tensor.int(batch.positions.length),
            labels: Tensor.int(batch.positions.length),
            teacher: logits.length === 0 ? {} : { logits: Tensor.float(batch.positions.length, model.config.vocabSize) }
          },
          (x) => {
            const predicted = logitsOf(model, batch, x)
            const teacher: { readonly logits?: tf.Tensor } = x.teacher
            const right = tf.cast(tf.equal(tf.argMax(predicted, -1), x.labels), "float32")
            return {
              loss: tf.sum(ops.crossEntropy(predicted, x.labels)),
              right: tf.sum(right),
              discrepancy:
                teacher.logits === undefined ? tf.scalar(0) : tf.sum(ops.klDivergence(predicted, teacher.logits))
            }
          }
        )
      )
      const live = yield* transfer.upload(backend, Model.inputs(model))
      const sums = { loss: 0, right: 0, discrepancy: 0, tokens: 0 }
      for (const [i, batch] of batches.entries()) {
        const inputs = yield* transfer.upload(backend, {
          tokens: Tokens.inputs(batch),
          positions: Tensor.of(batch.positions),
          labels: Tensor.of(batch.labels)
        })
        const teacherLogits = logits[i]
        const out = yield* textOf(batch).run({
          model: live,
          ...inputs,
          teacher: teacherLogits === undefined ? {} : { logits: teacherLogits }
        })
        const values = yield* transfer.download(backend, out)
        yield* transfer.release(backend, [inputs, out])
        sums.loss += values.loss.data[0] ?? Number.NaN
        sums.right += values.right.data[0] ?? Number.NaN
        sums.discrepancy += values.discrepancy.data[0] ?? Number.NaN
        sums.tokens += batch.labels.length
      }
      yield* transfer.release(backend, live)
      const { tokens } = sums
      return { loss: sums.loss / tokens, accuracy: sums.right / tokens, discrepancy: sums.discrepancy / tokens, tokens }
    })
  )
