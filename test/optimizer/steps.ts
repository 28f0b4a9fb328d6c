import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import {
  Backend,
  type BackendUnavailable,
  type HostTensor,
  OnnxBackend,
  Tensor,
  TfjsBackend,
  tf,
  transfer
} from "homodistil/backend"
import { type Optimizer, TrainStep } from "homodistil/optimizer"

/** The compiled backend on two threads, and the plain eager one. */
export const engines = { onnx: OnnxBackend.layer({ threads: 2 }), cpu: TfjsBackend.layer("cpu") }

/** Runs a program on a backend. */
export const on = <A, E>(layer: Layer.Layer<Backend, BackendUnavailable>, program: Effect.Effect<A, E, Backend>) =>
  Effect.runPromise(Effect.provide(program, layer))

type ByName<T> = { readonly [name: string]: T }

/** Regression of `y` [rows, out] on `x` [rows, in] with weight `w` [out, in] and bias `b` [out]: the sum of squares. */
export const regression = (params: ByName<tf.Tensor>, x: ByName<tf.Tensor>): TrainStep.TracedLoss => {
  const { w, b } = params
  const { x: from, y } = x
  if (w === undefined || b === undefined || from === undefined || y === undefined)
    throw new Error("regression lacks a tensor")
  const gap = tf.sub(tf.add(tf.matMul(from, w, false, true), b), y)
  return { total: tf.sum(tf.square(gap)), terms: { worst: tf.max(tf.abs(gap)), mean: tf.mean(tf.square(gap)) } }
}

/** What `train` gives: numbers of every step, and the last state. */
export interface Trained {
  readonly totals: ReadonlyArray<number>
  readonly terms: ReadonlyArray<ByName<number>>
  readonly state: TrainStep.TrainState<HostTensor>
  /** Live tensors after every step. */
  readonly live: ReadonlyArray<number>
}

/** Trains from `params` for the learning rates given, one a step. */
export const train = (
  params: ByName<HostTensor>,
  inputs: ByName<HostTensor>,
  optimizer: Optimizer,
  rates: ReadonlyArray<number>,
  rest: Partial<Pick<TrainStep.TrainStepOptions<ByName<Tensor.TensorSpec>>, "observer" | "view" | "loss">> = {}
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const specs = (tensors: ByName<HostTensor>): ByName<Tensor.TensorSpec> =>
        Object.fromEntries(Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]))
      const step = yield* TrainStep.compile({
        name: "regression",
        params: specs(params),
        inputs: specs(inputs),
        loss: regression,
        optimizer,
        ...rest
      })
      let state = yield* step.enter(TrainStep.start(params, optimizer, rest.observer))
      const given = yield* transfer.upload(backend, inputs)
      const [totals, terms, live]: [Array<number>, Array<ByName<number>>, Array<number>] = [[], [], []]
      for (const [i, learningRate] of rates.entries()) {
        const made = yield* step.run(state, given, { step: i, learningRate })
        state = made.state
        totals.push(made.total)
        terms.push(made.terms)
        live.push((yield* backend.live).tensors)
      }
      const last = yield* step.leave(state)
      yield* transfer.release(backend, [state, given])
      const trained: Trained = { totals, terms, state: last, live }
      return trained
    })
  )

/** Random parameters and data of a small regression. */
export const sample = (draw: (name: string, count: number) => ArrayLike<number>) => {
  const [rows, from, to] = [5, 3, 2]
  return {
    params: { w: Tensor.host(draw("w", to * from), [to, from]), b: Tensor.host(draw("b", to), [to]) },
    inputs: { x: Tensor.host(draw("x", rows * from), [rows, from]), y: Tensor.host(draw("y", rows * to), [rows, to]) }
  }
}
