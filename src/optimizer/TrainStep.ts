import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  type HostTensor,
  type InputsOf,
  Tensor,
  type TensorSpec,
  type TensorsOf,
  tf,
  transfer
} from "../backend/index.ts"
import { clipByGlobalNorm } from "./clip.ts"
import type { Moments, Optimizer } from "./Optimizer.ts"

/** Tensors by parameter name. */
type ByName<T> = { readonly [name: string]: T }

/** Tensors by slot, then by parameter name. */
type BySlot<T> = { readonly [slot: string]: ByName<T> }

/** Everything a training step carries from one step to the next. */
export interface TrainState<T> {
  readonly params: ByName<T>
  readonly moments: BySlot<T>
  /** What the observer (an importance scorer) remembers; only for the parameters it watches. */
  readonly slots: BySlot<T>
}

/** A traced loss: what is differentiated, and plain terms for the eye. */
export interface TracedLoss {
  readonly total: tf.Tensor
  readonly terms: ByName<tf.Tensor>
}

/** Something that watches every step after the optimiser: an importance scorer. */
export interface Observer {
  readonly slots: ReadonlyArray<string>
  readonly watches: (parameter: string) => boolean
  readonly scalars: (step: number) => ByName<number>
  readonly update: (
    slots: ByName<tf.Tensor>,
    input: { readonly param: tf.Tensor; readonly grad: tf.Tensor; readonly scalars: ByName<tf.Tensor> }
  ) => ByName<tf.Tensor>
}

/** What a training step is made of. */
export interface TrainStepOptions<I> {
  readonly name: string
  readonly params: ByName<TensorSpec>
  /** The other inputs: batch, teacher outputs, masks. */
  readonly inputs: I
  readonly loss: (params: ByName<tf.Tensor>, inputs: TensorsOf<I>) => TracedLoss
  readonly optimizer: Optimizer
  readonly observer?: Observer
  /** What the loss sees of a parameter, e.g. the masked one; gradients are taken with respect to it. */
  readonly view?: (name: string, param: tf.Tensor, inputs: TensorsOf<I>) => tf.Tensor
  /** What is kept of a tensor that belongs to a parameter (weight or observer slot) after the update. */
  readonly constrain?: (name: string, tensor: tf.Tensor, inputs: TensorsOf<I>) => tf.Tensor
}

/** A compiled training step: loss, backward, clipping, optimiser and observer in one native call. */
export interface TrainStep<I> {
  readonly nodes: number
  /** Takes a state (whose tensors end here) one step further; `inputs` stay live. Step numbers count from 0. */
  readonly run: (
    state: TrainState<DeviceTensor>,
    inputs: InputsOf<I>,
    at: { readonly step: number; readonly learningRate: number }
  ) => Effect.Effect<
    { readonly state: TrainState<DeviceTensor>; readonly terms: ByName<number>; readonly total: number },
    ExecutionError
  >
}

/** Whether weight decay applies to a parameter: to matrices only. */
const decays = (spec: TensorSpec): boolean => spec.shape.length > 1

const record = <A>(names: ReadonlyArray<string>, f: (name: string) => A): ByName<A> =>
  Object.fromEntries(names.map((name) => [name, f(name)]))

const at = <A>(values: ByName<A>, name: string): A => {
  const value = values[name]
  if (value === undefined) throw new RangeError(`there is no ${name}`)
  return value
}

const pick = <A>(slots: BySlot<A>, name: string): ByName<A> =>
  record(Object.keys(slots), (slot) => at(at(slots, slot), name))

/** A fresh state around parameter values: zero moments and slots. */
export const start = (
  params: ByName<HostTensor>,
  optimizer: Optimizer,
  observer?: Pick<Observer, "slots" | "watches">
): TrainState<HostTensor> => {
  const names = Object.keys(params).sort()
  const zeros = (name: string): HostTensor => {
    const { shape, data } = at(params, name)
    return { shape, dtype: "float32", data: new Float32Array(data.length) }
  }
  const watched = observer === undefined ? [] : names.filter(observer.watches)
  return {
    params,
    moments: record(optimizer.slots, () => record(names, zeros)),
    slots: record(observer?.slots ?? [], () => record(watched, zeros))
  }
}

/**
 * Compiles a training step for the present shapes.
 *
 * The text is traced once; learning rate and other host numbers are inputs, so no schedule ever causes a re-compilation.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Backend, OnnxBackend, Tensor, tf, transfer } from "homodistil/backend"
 * import { adamW, TrainStep } from "homodistil/optimizer"
 * const optimizer = adamW()
 * const program = Effect.gen(function* () {
 *   const step = yield* TrainStep.compile({
 *     name: "square",
 *     params: { w: Tensor.float(1) },
 *     inputs: {},
 *     loss: (params) => ({ total: tf.sum(tf.square(params["w"] ?? 0)), terms: {} }),
 *     optimizer
 *   })
 *   const state = yield* transfer.upload(yield* Backend, TrainStep.start({ w: Tensor.host([3]) }, optimizer))
 *   return yield* step.run(state, {}, { step: 0, learningRate: 0.1 })
 * })
 * const { total } = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(OnnxBackend.layer())))
 * assert.equal(total, 9) // the loss before the update
 * ```
 */
export const compile = <const I extends Tensor.Tree<TensorSpec>>(
  options: TrainStepOptions<I>
): Effect.Effect<TrainStep<I>, CompileError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const { optimizer, observer, params, inputs } = options
    const names = Object.keys(params).sort()
    const watched = observer === undefined ? [] : names.filter(observer.watches)
    const numbers = (step: number, learningRate: number) => ({
      optimizer: optimizer.scalars(step, learningRate),
      observer: observer?.scalars(step) ?? {}
    })
    const scalarSpecs = (values: ByName<number>) => record(Object.keys(values), () => Tensor.float())
    const known = numbers(0, 1)
    const signature = {
      state: {
        params,
        moments: record(optimizer.slots, () => params),
        slots: record(observer?.slots ?? [], () => record(watched, (name) => at(params, name)))
      },
      scalars: { optimizer: scalarSpecs(known.optimizer), observer: scalarSpecs(known.observer) },
      inputs
    }
    const compiled = yield* backend.compile(options.name, signature, (x) => {
      const { state, scalars } = x
      const given: TensorsOf<I> = x.inputs
      const seen = names.map((name) => options.view?.(name, at(state.params, name), given) ?? at(state.params, name))
      let kept: ByName<tf.Tensor> = {}
      const { value, grads: found } = tf.engine().gradients(() => {
        const loss = options.loss(Object.fromEntries(names.map((name, i) => [name, seen[i] ?? tf.scalar(0)])), given)
        // tfjs ends everything but the value when it has differentiated; the terms are wanted as well
        kept = record(Object.keys(loss.terms), (term) => tf.keep(tf.clone(at(loss.terms, term))))
        return tf.reshape(loss.total, [])
      }, seen)
      // a parameter the loss does not touch (the head, under a loss of hidden states alone) has none
      const grads = seen.map((tensor, i): tf.Tensor => found[i] ?? tf.zerosLike(tensor))
      const terms = record(Object.keys(kept), (term) => tf.clone(at(kept, term)))
      tf.dispose(Object.values(kept))
      const clipped = optimizer.clipNorm === undefined ? grads : clipByGlobalNorm(grads, optimizer.clipNorm)
      const constrained = (name: string, tensor: tf.Tensor) => options.constrain?.(name, tensor, given) ?? tensor
      const updated = new Map<
        string,
        { readonly param: tf.Tensor; readonly moments: Moments; readonly slots: ByName<tf.Tensor> }
      >()
      names.forEach((name, i) => {
        const grad = clipped[i]
        if (grad === undefined) throw new RangeError(`no gradient for ${name}`)
        const moved = optimizer.update({
          param: at(state.params, name),
          grad,
          moments: pick(state.moments, name),
          scalars: scalars.optimizer,
          decays: decays(at(params, name))
        })
        const param = constrained(name, moved.param)
        const slots =
          observer === undefined || !watched.includes(name)
            ? {}
            : observer.update(pick(state.slots, name), { param, grad, scalars: scalars.observer })
        updated.set(name, { param, moments: moved.moments, slots })
      })
      const of = (name: string) => {
        const one = updated.get(name)
        if (one === undefined) throw new RangeError(`${name} was not updated`)
        return one
      }
      return {
        state: {
          params: record(names, (name) => of(name).param),
          moments: record(optimizer.slots, (slot) => record(names, (name) => at(of(name).moments, slot))),
          slots: record(observer?.slots ?? [], (slot) =>
            record(watched, (name) => constrained(name, at(of(name).slots, slot)))
          )
        },
        terms,
        total: value
      }
    })
    const run: TrainStep<I>["run"] = (state, given, { step, learningRate }) =>
      Effect.gen(function* () {
        const host = numbers(step, learningRate)
        const scalars = yield* transfer.upload(backend, {
          optimizer: record(Object.keys(host.optimizer), (key) => Tensor.scalar(at(host.optimizer, key))),
          observer: record(Object.keys(host.observer), (key) => Tensor.scalar(at(host.observer, key)))
        })
        const out = yield* compiled
          .run({ state, scalars, inputs: given })
          .pipe(Effect.ensuring(transfer.release(backend, scalars)))
        yield* transfer.release(backend, state)
        const { total, terms } = yield* transfer.download(backend, { total: out.total, terms: out.terms })
        yield* transfer.release(backend, [out.total, out.terms])
        return {
          state: out.state,
          total: total.data[0] ?? Number.NaN,
          terms: record(Object.keys(terms), (key) => at(terms, key).data[0] ?? Number.NaN)
        }
      })
    return { nodes: compiled.nodes, run }
  })
