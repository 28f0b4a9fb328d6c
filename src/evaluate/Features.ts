import * as Effect from "effect/Effect"
import { Backend, type CompileError, type ExecutionError, Tensor, tf, transfer } from "../backend/index.ts"
import type { Examples, Task } from "../data/index.ts"
import { Bert, Model, Tokens } from "../model/index.ts"
import type { Rows } from "./LogisticRegression.ts"
import * as TaskBatch from "./TaskBatch.ts"

/** The hidden states after the middle one of the layers; the last where there is only one. */
const middle = (outputs: Bert.Outputs): tf.Tensor =>
  outputs.hidden[Math.max(0, Math.floor(outputs.hidden.length / 2) - 1)] ?? outputs.embedding

/**
 * What a frozen model says of labelled examples.
 *
 * Of a token task, the last hidden state of each labelled piece [labelled pieces, hidden]; of a sequence task, the means over
 * the row's pieces of the last and of the middle layer's hidden states [rows, 2 · hidden].
 */
export const of = (
  model: Model.Model,
  kind: Task["kind"],
  examples: Examples,
  options: { readonly rows: number }
): Effect.Effect<Rows, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const batches = TaskBatch.all(kind, examples, { ...options, pooling: "mean" })
      const [first] = batches
      const width = model.config.hidden * (kind === "token" ? 1 : 2)
      const features = new Float32Array(examples.labels.reduce((n, label) => n + Number(label >= 0), 0) * width)
      const labels = new Int32Array(features.length / width)
      if (first === undefined) return rowsOf(features, labels, width)
      const { tokens, pool } = TaskBatch.signature(first)
      const compiled = yield* backend.compile("features", { model: Model.signature(model), tokens, pool }, (x) => {
        const kept = x.model.kept["hidden"]
        const options = kept === undefined ? {} : { keptHidden: kept }
        const outputs = Bert.encode(x.model.parameters, model.config, Tokens.tensors(first.tokens, x.tokens), options)
        const last = Bert.last(outputs)
        return {
          features:
            kind === "token"
              ? last
              : tf.concat([TaskBatch.pooled(last, x.pool), TaskBatch.pooled(middle(outputs), x.pool)], 1)
        }
      })
      const live = yield* transfer.upload(backend, Model.inputs(model))
      let row = 0
      for (const batch of batches) {
        const host = TaskBatch.inputs(batch)
        const inputs = yield* transfer.upload(backend, { tokens: host.tokens, pool: host.pool })
        const out = yield* compiled.run({ model: live, ...inputs })
        const { data } = (yield* transfer.download(backend, out)).features
        yield* transfer.release(backend, [inputs, out])
        batch.weights.forEach((weight, i) => {
          if (weight === 0) return
          features.set(data.subarray(i * width, (i + 1) * width), row * width)
          labels[row] = batch.labels[i] ?? 0
          row++
        })
      }
      yield* transfer.release(backend, live)
      return rowsOf(features, labels, width)
    })
  )

const rowsOf = (features: Float32Array, labels: Int32Array, width: number): Rows => ({
  features: Tensor.of(features, [labels.length, width]),
  labels: Tensor.of(labels)
})
