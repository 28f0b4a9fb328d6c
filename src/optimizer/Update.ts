import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import {
  Backend,
  type CompileError,
  type DeviceTensor,
  type ExecutionError,
  Tensor,
  type TensorSpec,
  tf,
  transfer
} from "../backend/index.ts"
import type * as Layout from "./Layout.ts"
import { at, type ByName } from "./Layout.ts"
import type { Optimizer } from "./Optimizer.ts"
import type { Observer, TrainState } from "./TrainStep.ts"

/** Host numbers of a step: the factor that clips the gradient, and those of optimiser and observer. */
export interface Scalars {
  readonly clip: number
  readonly optimizer: ByName<number>
  readonly observer: ByName<number>
}

/** Changes a state's vectors in place by the gradients of a step. */
export type Update = (
  state: TrainState<DeviceTensor>,
  grads: ByName<DeviceTensor>,
  scalars: Scalars
) => Effect.Effect<void, ExecutionError>

/** What an update is made of. */
export interface UpdateOptions {
  readonly name: string
  readonly groups: ReadonlyArray<Layout.Group>
  readonly params: ByName<TensorSpec>
  readonly lengthOf: (group: Layout.Group) => number
  readonly optimizer: Optimizer
  readonly observer: Observer | undefined
}

// what belongs to the optimiser and to the observer may carry the same name
const own = (kind: "moments" | "slots" | "optimizer" | "observer", name: string): string => `${kind}.${name}`
const among = <A>(
  values: ByName<A>,
  kind: "moments" | "slots" | "optimizer" | "observer",
  names: ReadonlyArray<string>
) => Object.fromEntries(names.map((name) => [name, at(values, own(kind, name))]))
const named = <A>(values: ByName<A>, kind: "moments" | "slots" | "optimizer" | "observer"): ByName<A> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [own(kind, name), value]))

/** The tensors of one group by the names its text knows them by: `param`, `grad`, moments and slots. */
const members = <A>(
  { optimizer, observer }: UpdateOptions,
  group: Layout.Group,
  state: TrainState<A>,
  grads: ByName<A>
) => ({
  grad: at(grads, group.id),
  param: at(state.params, group.id),
  ...Object.fromEntries(optimizer.slots.map((slot) => [own("moments", slot), at(at(state.moments, slot), group.id)])),
  ...(group.watched
    ? Object.fromEntries(
        (observer?.slots ?? []).map((slot) => [own("slots", slot), at(at(state.slots, slot), group.id)])
      )
    : {})
})

/** The text of an update: clipping, optimiser, then the observer, which sees the weights after the optimiser. */
const text =
  ({ optimizer, observer }: UpdateOptions, group: Layout.Group) =>
  (x: ByName<tf.Tensor>, scalars: ByName<tf.Tensor>): ByName<tf.Tensor> => {
    const grad = tf.mul(at(x, "grad"), at(scalars, "clip"))
    const ofStep = (kind: "optimizer" | "observer") =>
      among(
        scalars,
        kind,
        Object.keys(scalars).flatMap((name) => (name.startsWith(`${kind}.`) ? [name.slice(kind.length + 1)] : []))
      )
    const { param, moments } = optimizer.update({
      param: at(x, "param"),
      grad,
      moments: among(x, "moments", optimizer.slots),
      scalars: ofStep("optimizer"),
      decays: group.decays
    })
    const slots =
      observer === undefined || !group.watched
        ? {}
        : observer.update(among(x, "slots", observer.slots), { param, grad, scalars: ofStep("observer") })
    return { param, ...named(moments, "moments"), ...named(slots, "slots") }
  }

/** Compiles an update: one sweep over each group, or, where a rule looks at more than one weight at once, an ordinary text. */
export const compile = (options: UpdateOptions): Effect.Effect<Update, CompileError, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const { groups, optimizer, observer } = options
    const numbers = (scalars: Scalars): ByName<number> => ({
      clip: scalars.clip,
      ...named(scalars.optimizer, "optimizer"),
      ...named(scalars.observer, "observer")
    })
    const scalarNames = Object.keys(
      numbers({ clip: 1, optimizer: optimizer.scalars(0, 1), observer: observer?.scalars(0) ?? {} })
    )

    const swept = (group: Layout.Group) =>
      backend.sweep(
        `${options.name}: update of ${group.id}`,
        { length: options.lengthOf(group), vectors: vectorsOf(options, group), scalars: scalarNames },
        text(options, group)
      )

    const whole = (group: Layout.Group) =>
      Effect.gen(function* () {
        const shape = group.flat ? [options.lengthOf(group)] : at(options.params, group.names[0] ?? "").shape
        const names = vectorsOf(options, group)
        const compiled = yield* backend.compile(
          `${options.name}: update of ${group.id}`,
          {
            x: Object.fromEntries(names.map((name) => [name, Tensor.float(...shape)])),
            scalars: Object.fromEntries(scalarNames.map((name) => [name, Tensor.float()]))
          },
          (given) => text(options, group)(given.x, given.scalars)
        )
        const run = (vectors: ByName<DeviceTensor>, scalars: ByName<number>) =>
          Effect.gen(function* () {
            const x: Record<string, DeviceTensor> = {}
            for (const name of names) x[name] = yield* backend.view(at(vectors, name), 0, shape)
            const given = yield* transfer.upload(
              backend,
              Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, Tensor.scalar(value)]))
            )
            const made: ByName<DeviceTensor> = yield* compiled
              .run({ x, scalars: given })
              .pipe(Effect.ensuring(transfer.release(backend, [x, given])))
            for (const [name, tensor] of Object.entries(made))
              yield* backend.write(at(vectors, name), (yield* backend.download(tensor)).data)
            yield* transfer.release(backend, made)
          })
        return { run }
      })

    const updates = yield* Effect.forEach(groups, (group) =>
      Effect.map(
        group.flat ? Effect.catchTag(swept(group), "CompileError", () => whole(group)) : whole(group),
        (each) => ({ group, each })
      )
    )
    return (state, grads, scalars) =>
      Effect.forEach(updates, ({ group, each }) => each.run(members(options, group, state, grads), numbers(scalars)), {
        discard: true
      })
  })

const vectorsOf = ({ optimizer, observer }: UpdateOptions, group: Layout.Group): ReadonlyArray<string> => [
  "grad",
  "param",
  ...optimizer.slots.map((slot) => own("moments", slot)),
  ...(group.watched ? (observer?.slots ?? []).map((slot) => own("slots", slot)) : [])
]
