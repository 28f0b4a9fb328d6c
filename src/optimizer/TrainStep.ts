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
import * as Layout from "./Layout.ts"
import { at, type ByName } from "./Layout.ts"
import type { Moments, Optimizer } from "./Optimizer.ts"

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
  /** What is kept of a tensor that belongs to a parameter (weight or observer slot) after the update. */
  readonly constrain?: (name: string, tensor: tf.Tensor, inputs: TensorsOf<I>) => tf.Tensor
}

/** A state on the device, laid out as its step wants it. */
export type LiveState = TrainState<DeviceTensor>

/** A compiled training step: loss, backward, clipping, optimiser and observer in one native call. */
export interface TrainStep<I> {
  readonly nodes: number
  /** Puts a state on the device; the caller releases it, or hands it to `run`. */
  readonly enter: (state: TrainState<HostTensor>) => Effect.Effect<LiveState>
  /** A copy of a live state on the host; the live one goes on. */
  readonly leave: (state: LiveState) => Effect.Effect<TrainState<HostTensor>>
  /** Takes a state (whose tensors end here) one step further; `inputs` stay live. Step numbers count from 0. */
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

const pick = <A>(slots: BySlot<A>, name: string): ByName<A> =>
  record(Object.keys(slots), (slot) => at(at(slots, slot), name))

const joined = <A>(parts: ReadonlyArray<ByName<A>>): ByName<A> =>
  Object.fromEntries(parts.flatMap((part) => Object.entries(part)))

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
    const { params, inputs } = options
    const groups = layout(options)
    const numbers = (step: number, learningRate: number) => ({
      optimizer: options.optimizer.scalars(step, learningRate),
      observer: options.observer?.scalars(step) ?? {}
    })
    const scalarSpecs = (values: ByName<number>) => record(Object.keys(values), () => Tensor.float())
    const known = numbers(0, 1)
    const signature = {
      state: arrange(options, groups, (group) => Layout.specOf(group, params)),
      scalars: { optimizer: scalarSpecs(known.optimizer), observer: scalarSpecs(known.observer) },
      inputs
    }
    const compiled = yield* backend.compile(options.name, signature, (x) => {
      const given: TensorsOf<I> = x.inputs
      return text(options, groups, x.state, x.scalars, given)
    })

    const enter: TrainStep<I>["enter"] = (state) =>
      transfer.upload(
        backend,
        arrange(options, groups, (group, kind, slot) =>
          Layout.packHost(group, kind === "params" ? state.params : at(state[kind], slot))
        )
      )

    const leave: TrainStep<I>["leave"] = (live) =>
      Effect.map(transfer.download(backend, live), (state) => {
        const apart = (values: ByName<HostTensor>, of: ReadonlyArray<Layout.Group>): ByName<HostTensor> =>
          joined(of.map((group) => Layout.unpackHost(group, at(values, group.id), params)))
        const bySlot = (values: BySlot<HostTensor>, of: ReadonlyArray<Layout.Group>) =>
          record(Object.keys(values), (slot) => apart(at(values, slot), of))
        return {
          params: apart(state.params, groups),
          moments: bySlot(state.moments, groups),
          slots: bySlot(state.slots, watchedOf(groups))
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
    return { nodes: compiled.nodes, enter, leave, run }
  })

const watchedOf = (groups: ReadonlyArray<Layout.Group>): ReadonlyArray<Layout.Group> =>
  groups.filter(({ watched }) => watched)

/** Parameters lie end to end where both rules treat every weight alone; hooks want each parameter under its name. */
const layout = <I>({
  params,
  optimizer,
  observer,
  view,
  constrain
}: TrainStepOptions<I>): ReadonlyArray<Layout.Group> => {
  const unwatched = optimizer.elementwise && view === undefined && constrain === undefined
  return Layout.groups({
    params,
    watches: (name) => observer?.watches(name) ?? false,
    elementwise: { unwatched, watched: unwatched && observer?.elementwise === true }
  })
}

/** A state's shape over groups, filled in. */
const arrange = <I, T>(
  { optimizer, observer }: TrainStepOptions<I>,
  groups: ReadonlyArray<Layout.Group>,
  fill: (group: Layout.Group, kind: "params" | "moments" | "slots", slot: string) => T
): TrainState<T> => {
  const over = (of: ReadonlyArray<Layout.Group>, kind: "params" | "moments" | "slots", slot: string): ByName<T> =>
    Object.fromEntries(of.map((group): [string, T] => [group.id, fill(group, kind, slot)]))
  return {
    params: over(groups, "params", ""),
    moments: record(optimizer.slots, (slot) => over(groups, "moments", slot)),
    slots: record(observer?.slots ?? [], (slot) => over(watchedOf(groups), "slots", slot))
  }
}

/** The text of a step: loss, gradients, clipping, update and observation. */
const text = <I>(
  options: TrainStepOptions<I>,
  groups: ReadonlyArray<Layout.Group>,
  state: TrainState<tf.Tensor>,
  scalars: { readonly optimizer: ByName<tf.Tensor>; readonly observer: ByName<tf.Tensor> },
  given: TensorsOf<I>
) => {
  const { optimizer, observer, params } = options
  const names = Object.keys(params).sort()
  const whole = joined(groups.map((group) => Layout.unpack(group, at(state.params, group.id), params)))
  const seen = names.map((name) => options.view?.(name, at(whole, name), given) ?? at(whole, name))
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
  const byName = Object.fromEntries(seen.map((tensor, i) => [names[i] ?? "", found[i] ?? tf.zerosLike(tensor)]))
  const packed = groups.map((group) => Layout.pack(group, byName))
  const grads = optimizer.clipNorm === undefined ? packed : clipByGlobalNorm(packed, optimizer.clipNorm)
  const constrained = ({ id }: Layout.Group, tensor: tf.Tensor) => options.constrain?.(id, tensor, given) ?? tensor
  const updated = new Map<
    string,
    { readonly param: tf.Tensor; readonly moments: Moments; readonly slots: ByName<tf.Tensor> }
  >()
  groups.forEach((group, i) => {
    const grad = grads[i]
    if (grad === undefined) throw new RangeError(`no gradient for ${group.id}`)
    const moved = optimizer.update({
      param: at(state.params, group.id),
      grad,
      moments: pick(state.moments, group.id),
      scalars: scalars.optimizer,
      decays: group.decays
    })
    const param = constrained(group, moved.param)
    const slots =
      observer === undefined || !group.watched
        ? {}
        : observer.update(pick(state.slots, group.id), { param, grad, scalars: scalars.observer })
    updated.set(group.id, { param, moments: moved.moments, slots })
  })
  const next = arrange(options, groups, (group, kind, slot) => {
    const one = updated.get(group.id)
    if (one === undefined) throw new RangeError(`${group.id} was not updated`)
    return kind === "params"
      ? one.param
      : kind === "moments"
        ? at(one.moments, slot)
        : constrained(group, at(one.slots, slot))
  })
  return { state: next, terms, total: value }
}
