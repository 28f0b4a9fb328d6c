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
import { clipFactor } from "./clip.ts"
import * as Gradients from "./Gradients.ts"
import * as Layout from "./Layout.ts"
import { at, type ByName } from "./Layout.ts"
import type { Optimizer } from "./Optimizer.ts"
import * as Update from "./Update.ts"

/** Tensors by slot, then by parameter name. */
type BySlot<T> = { readonly [slot: string]: ByName<T> }

/** Everything a training step carries from one step to the next. */
export type TrainState<T> = {
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
  /** Whether every weight is treated alone, so that parameters may be observed end to end in one vector. */
  readonly elementwise?: boolean
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
  /** Where the gradients lie, shared with steps of the same parameters that take turns (`Gradients.make`); a place of its own unless given. */
  readonly gradients?: Gradients.Gradients
}

/** A state on the device: long vectors by group, changed in place, and the parameters as views of theirs. */
export type LiveState = { readonly params: ByName<DeviceTensor>; readonly vectors: TrainState<DeviceTensor> }

/** A compiled training step: loss and gradients in one native call, then clipping, optimiser and observer in one pass over the state. */
export interface TrainStep<I> {
  readonly nodes: number
  /** Puts a state on the device; the caller releases it. */
  readonly enter: (state: TrainState<HostTensor>) => Effect.Effect<LiveState>
  /** A copy of a live state on the host; the live one goes on. */
  readonly leave: (state: LiveState) => Effect.Effect<TrainState<HostTensor>>
  /** A live state as the host sees it, in place where the backend can: to be read before it goes on or ends. */
  readonly peek: (state: LiveState) => Effect.Effect<TrainState<HostTensor>>
  /**
   * Numbers that an elementwise text makes of each watched weight and its slots, by one sweep to where the last gradients lie: to be read
   * before the next step. Nothing where the text cannot be swept.
   */
  readonly derive: (
    state: LiveState,
    text: (slots: ByName<tf.Tensor>, param: tf.Tensor) => tf.Tensor
  ) => Effect.Effect<ByName<HostTensor> | undefined, ExecutionError>
  /** Takes a state one step further, in place; `inputs` stay live. Step numbers count from 0. Where the native call fails, the state is as it was. */
  readonly run: (
    state: LiveState,
    inputs: InputsOf<I>,
    at: { readonly step: number; readonly learningRate: number }
  ) => Effect.Effect<
    { readonly state: LiveState; readonly terms: ByName<number>; readonly total: number },
    ExecutionError
  >
}

const record = <A>(names: ReadonlyArray<string>, f: (name: string) => A): ByName<A> =>
  Object.fromEntries(names.map((name) => [name, f(name)]))

const joined = <A>(parts: ReadonlyArray<ByName<A>>): ByName<A> =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(part)))

/** The numbers behind fresh moments and slots, which all share them: what is 0 anyway is not written again. */
const zeros = new WeakSet<ArrayBufferLike>()

/** A fresh state around parameter values: zero moments and slots. */
export const start = (
  params: ByName<HostTensor>,
  optimizer: Optimizer,
  observer?: Pick<Observer, "slots" | "watches">
): TrainState<HostTensor> => {
  const names = Object.keys(params).sort()
  const nothing = new Float32Array(Math.max(0, ...names.map((name) => at(params, name).data.length)))
  zeros.add(nothing.buffer)
  const zero = (name: string): HostTensor => {
    const { shape, data } = at(params, name)
    return Tensor.of(nothing.subarray(0, data.length), shape)
  }
  const watched = observer === undefined ? [] : names.filter(observer.watches)
  return {
    params,
    moments: record(optimizer.slots, () => record(names, zero)),
    slots: record(observer?.slots ?? [], () => record(watched, zero))
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
 * import { OnnxBackend, Tensor, tf } from "homodistil/backend"
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
 *   const state = yield* step.enter(TrainStep.start({ w: Tensor.host([3]) }, optimizer))
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
    const { params, inputs, optimizer, observer } = options
    const layout = Gradients.layoutOf(options)
    const { groups, placesOf, lengthOf } = layout
    const gradient = yield* backend.compile(options.name, { params, inputs }, (x) => {
      const given: TensorsOf<I> = x.inputs
      return differentiate(options, x.params, given)
    })
    const update = yield* Update.compile({ name: options.name, groups, params, lengthOf, optimizer, observer })

    const grads = options.gradients ?? (yield* Gradients.make(options))
    const into = Object.fromEntries(Object.entries(grads.views).map(([name, view]) => [`grads/${name}`, view]))

    const enter: TrainStep<I>["enter"] = (state) =>
      Effect.gen(function* () {
        const put = (of: ReadonlyArray<Layout.Group>, values: ByName<HostTensor>) =>
          Effect.gen(function* () {
            const vectors: Record<string, DeviceTensor> = {}
            for (const group of of) {
              const vector = yield* backend.vector(lengthOf(group))
              for (const { name, from, shape } of placesOf(group)) {
                if (zeros.has(at(values, name).data.buffer)) continue
                const view = yield* backend.view(vector, from, shape)
                yield* backend.write(view, at(values, name).data)
                yield* backend.release(view)
              }
              vectors[group.id] = vector
            }
            return vectors
          })
        const bySlot = (of: ReadonlyArray<Layout.Group>, slots: BySlot<HostTensor>) =>
          Effect.gen(function* () {
            const made: Record<string, ByName<DeviceTensor>> = {}
            for (const [slot, values] of Object.entries(slots)) made[slot] = yield* put(of, values)
            return made
          })
        const vectors = {
          params: yield* put(groups, state.params),
          moments: yield* bySlot(groups, state.moments),
          slots: yield* bySlot(watchedOf(groups), state.slots)
        }
        return { params: yield* Gradients.views(backend, layout, vectors.params), vectors }
      })

    const apart = ({ params: weights, moments, slots }: TrainState<HostTensor>): TrainState<HostTensor> => {
      const unpacked = (values: ByName<HostTensor>, of: ReadonlyArray<Layout.Group>): ByName<HostTensor> =>
        joined(of.map((group) => Layout.unpack(group, at(values, group.id), params)))
      const bySlot = (values: BySlot<HostTensor>, of: ReadonlyArray<Layout.Group>) =>
        record(Object.keys(values), (slot) => unpacked(at(values, slot), of))
      return {
        params: unpacked(weights, groups),
        moments: bySlot(moments, groups),
        slots: bySlot(slots, watchedOf(groups))
      }
    }
    const leave: TrainStep<I>["leave"] = ({ vectors }) => Effect.map(transfer.download(backend, vectors), apart)
    const peek: TrainStep<I>["peek"] = ({ vectors }) => Effect.map(transfer.peek(backend, vectors), apart)

    const derive: TrainStep<I>["derive"] = ({ vectors }, text) =>
      Effect.gen(function* () {
        const slots = observer?.slots ?? []
        const of = watchedOf(groups)
        if (of.some(({ flat }) => !flat)) return undefined
        for (const group of of) {
          const { id } = group
          const name = `${options.name}: derived of ${id}`
          const signature = { length: lengthOf(group), vectors: ["made", "param", ...slots], scalars: [] }
          const sweep = yield* backend.sweep(name, signature, (x) => ({ made: text(x, at(x, "param")) }))
          const given = record(slots, (slot) => at(at(vectors.slots, slot), id))
          yield* sweep.run({ ...given, made: at(grads.vectors, id), param: at(vectors.params, id) }, {})
        }
        return yield* transfer.peek(
          backend,
          record(
            of.flatMap(({ names }) => names),
            (name) => at(grads.views, name)
          )
        )
      }).pipe(Effect.catchTag("CompileError", () => Effect.succeed(undefined)))

    const run: TrainStep<I>["run"] = (state, given, { step, learningRate }) =>
      Effect.gen(function* () {
        const out = yield* gradient.run({ params: state.params, inputs: given }, into)
        const { total, terms } = yield* transfer.download(backend, { total: out.total, terms: out.terms })
        yield* transfer.release(backend, [out.total, out.terms])
        const clip =
          optimizer.clipNorm === undefined
            ? 1
            : clipFactor(yield* backend.sumOfSquares(Object.values(grads.vectors)), optimizer.clipNorm)
        yield* update(state.vectors, grads.vectors, {
          clip,
          optimizer: optimizer.scalars(step, learningRate),
          observer: observer?.scalars(step) ?? {}
        })
        return {
          state,
          total: total.data[0] ?? Number.NaN,
          terms: record(Object.keys(terms), (key) => at(terms, key).data[0] ?? Number.NaN)
        }
        // half a step would be worse than none
      }).pipe(Effect.uninterruptible)
    return { nodes: gradient.nodes, enter, leave, peek, derive, run }
  })

const watchedOf = (groups: ReadonlyArray<Layout.Group>): ReadonlyArray<Layout.Group> =>
  groups.filter(({ watched }) => watched)

/** The text of a step's native call: loss, terms and gradients. */
const differentiate = <I>(options: TrainStepOptions<I>, params: ByName<tf.Tensor>, given: TensorsOf<I>) => {
  const names = Object.keys(params).sort()
  const seen = names.map((name) => options.view?.(name, at(params, name), given) ?? at(params, name))
  let kept: ByName<tf.Tensor> = {}
  const { value, grads: found } = tf.engine().gradients(() => {
    const loss = options.loss(Object.fromEntries(names.map((name, i) => [name, seen[i] ?? tf.scalar(0)])), given)
    // tfjs ends everything but the value when it has differentiated; the terms are wanted as well
    kept = record(Object.keys(loss.terms), (term) => tf.keep(tf.clone(at(loss.terms, term))))
    return tf.reshape(loss.total, [])
  }, seen)
  const terms = record(Object.keys(kept), (term) => tf.clone(at(kept, term)))
  tf.dispose(Object.values(kept))
  // a parameter the loss does not touch (the head, under a loss of hidden states alone) has no gradient
  const grads = Object.fromEntries(seen.map((tensor, i) => [names[i] ?? "", found[i] ?? tf.zerosLike(tensor)]))
  return { total: value, terms, grads }
}
