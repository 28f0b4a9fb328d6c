import * as Effect from "effect/Effect"
import {
  Backend,
  type CompileError,
  type ExecutionError,
  type HostTensor,
  ops,
  Tensor,
  tf,
  transfer
} from "../backend/index.ts"
import { minimise, type MinimiseOptions } from "./lbfgs.ts"

/** Labelled rows of features: `features` [rows, width], `labels` [rows] (int32). */
export interface Rows {
  readonly features: HostTensor
  readonly labels: HostTensor
}

/** How a logistic regression is fitted. */
export interface FitOptions extends MinimiseOptions {
  readonly classes: number
  /** Weight of the sum of squared weights in the loss; biases are free. */
  readonly l2: number
}

/** A fitted logistic regression over standardised features. */
export interface Fitted {
  /** [classes, width] */
  readonly weight: HostTensor
  /** [classes] */
  readonly bias: HostTensor
  /** Mean and scale of each feature among the training rows: a feature x enters as (x - mean) · scale. */
  readonly mean: Float64Array
  readonly scale: Float64Array
  /** The loss reached, nats a row, with the penalty. */
  readonly loss: number
  /** The largest entry of the gradient there. */
  readonly slope: number
  readonly iterations: number
}

const widthOf = ({ shape }: HostTensor): number => shape[1] ?? 0

/** Mean and inverse standard deviation of every column. */
const standardisation = (features: HostTensor): { readonly mean: Float64Array; readonly scale: Float64Array } => {
  const { data } = features
  const width = widthOf(features)
  const rows = Math.max(1, data.length / width)
  const mean = new Float64Array(width)
  const square = new Float64Array(width)
  data.forEach((x, i) => (mean[i % width] = (mean[i % width] ?? 0) + x / rows))
  data.forEach((x, i) => (square[i % width] = (square[i % width] ?? 0) + (x - (mean[i % width] ?? 0)) ** 2 / rows))
  return { mean, scale: square.map((each) => 1 / (Math.sqrt(each) + 1e-6)) }
}

const standardise = (features: HostTensor, { mean, scale }: Pick<Fitted, "mean" | "scale">): HostTensor => {
  const width = widthOf(features)
  return {
    ...features,
    data: Float32Array.from(features.data, (x, i) => (x - (mean[i % width] ?? 0)) * (scale[i % width] ?? 1))
  }
}

const headOf = (values: ArrayLike<number>, classes: number, width: number) => ({
  weight: Tensor.host(Array.prototype.slice.call(values, 0, classes * width), [classes, width]),
  bias: Tensor.host(Array.prototype.slice.call(values, classes * width), [classes])
})

const logits = (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor =>
  tf.add(tf.matMul(x, weight, false, true), bias)

/**
 * Fits a multinomial logistic regression from zero weights: the mean cross-entropy + l2 ‖weight‖² over standardised rows.
 *
 * The loss is strictly convex, so the result depends on the rows alone, not on their order; `slope` says how close it is.
 */
export const fit = (
  { features, labels }: Rows,
  { classes, l2, ...options }: FitOptions
): Effect.Effect<Fitted, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const width = widthOf(features)
      const standard = standardisation(features)
      const compiled = yield* backend.compile(
        "logistic regression",
        {
          rows: { features: Tensor.float(...features.shape), labels: Tensor.int(...labels.shape) },
          head: { weight: Tensor.float(classes, width), bias: Tensor.float(classes) }
        },
        ({ rows, head }) => {
          const { value, grads } = tf.valueAndGrads((weight: tf.Tensor, bias: tf.Tensor) => {
            const loss = tf.mean(ops.crossEntropy(logits(rows.features, weight, bias), rows.labels))
            return tf.reshape(tf.add(loss, tf.mul(tf.sum(tf.square(weight)), l2)), [])
          })([head.weight, head.bias])
          const [weight, bias] = grads
          if (weight === undefined || bias === undefined) throw new RangeError("the loss has two gradients")
          return { value, weight, bias }
        }
      )
      const rows = yield* transfer.upload(backend, { features: standardise(features, standard), labels })
      const evaluate = (at: Float64Array) =>
        Effect.gen(function* () {
          const head = yield* transfer.upload(backend, headOf(at, classes, width))
          const out = yield* compiled.run({ rows, head })
          const { value, weight, bias } = yield* transfer.download(backend, out)
          yield* transfer.release(backend, [head, out])
          return { value: value.data[0] ?? Number.NaN, gradient: Float64Array.from([...weight.data, ...bias.data]) }
        })
      const found = yield* minimise(evaluate, new Float64Array(classes * (width + 1)), options).pipe(
        Effect.ensuring(transfer.release(backend, rows))
      )
      return {
        ...headOf(found.at, classes, width),
        ...standard,
        loss: found.value,
        slope: found.slope,
        iterations: found.iterations
      }
    })
  )

/** The share of rows whose label the regression predicts, in [0, 1]. */
export const accuracy = (
  fitted: Fitted,
  { features, labels }: Rows
): Effect.Effect<number, CompileError | ExecutionError, Backend> =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const compiled = yield* backend.compile(
        "logistic regression accuracy",
        {
          features: Tensor.float(...features.shape),
          labels: Tensor.int(...labels.shape),
          weight: Tensor.float(...fitted.weight.shape),
          bias: Tensor.float(...fitted.bias.shape)
        },
        (x) => {
          const right = tf.equal(tf.argMax(logits(x.features, x.weight, x.bias), -1), x.labels)
          return { right: tf.sum(tf.cast(right, "float32")) }
        }
      )
      const { weight, bias } = fitted
      const inputs = yield* transfer.upload(backend, { features: standardise(features, fitted), labels, weight, bias })
      const out = yield* compiled.run(inputs)
      const { right } = yield* transfer.download(backend, out)
      yield* transfer.release(backend, [inputs, out])
      return (right.data[0] ?? Number.NaN) / labels.data.length
    })
  )
