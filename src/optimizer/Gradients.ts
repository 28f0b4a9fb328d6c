import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Backend, type DeviceTensor, type TensorSpec, transfer } from "../backend/index.ts"
import * as Layout from "./Layout.ts"
import type { ByName } from "./Layout.ts"
import type { Optimizer } from "./Optimizer.ts"

/** What decides how the parameters of a training step lie in memory. */
export interface LayoutOptions {
  readonly params: ByName<TensorSpec>
  readonly optimizer: Pick<Optimizer, "elementwise">
  readonly observer?: { readonly watches: (parameter: string) => boolean; readonly elementwise?: boolean }
}

/** The groups of a step's parameters, each with the places of its parameters and the length of its vector. */
export interface StepLayout {
  readonly groups: ReadonlyArray<Layout.Group>
  readonly placesOf: (group: Layout.Group) => ReadonlyArray<Layout.Place>
  readonly lengthOf: (group: Layout.Group) => number
}

/** How the parameters of a training step lie in memory. */
export const layoutOf = ({ params, optimizer, observer }: LayoutOptions): StepLayout => {
  const groups = Layout.groups({
    params,
    watches: (name) => observer?.watches(name) ?? false,
    elementwise: {
      unwatched: optimizer.elementwise,
      watched: optimizer.elementwise && observer?.elementwise === true
    }
  })
  const places = new Map(groups.map((group) => [group.id, Layout.places(group, params)]))
  return {
    groups,
    placesOf: ({ id }) => places.get(id)?.places ?? [],
    lengthOf: ({ id }) => places.get(id)?.length ?? 0
  }
}

/** The parameters of each group as views of its vector. */
export const views = (
  backend: Backend["Service"],
  { groups, placesOf }: StepLayout,
  vectors: ByName<DeviceTensor>
): Effect.Effect<ByName<DeviceTensor>> =>
  Effect.gen(function* () {
    const made: Record<string, DeviceTensor> = {}
    for (const group of groups)
      for (const { name, from, shape } of placesOf(group))
        made[name] = yield* backend.view(Layout.at(vectors, group.id), from, shape)
    return made
  })

/** Where gradients lie on the device: a vector for each group, and each parameter's as a view of it. */
export interface Gradients {
  readonly vectors: ByName<DeviceTensor>
  readonly views: ByName<DeviceTensor>
}

/**
 * A place for the gradients of a step's parameters, as large as they are. Steps compiled for other shapes of their inputs may share it, for
 * they take turns.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { OnnxBackend, Tensor } from "homodistil/backend"
 * import { adamW, Gradients } from "homodistil/optimizer"
 * const made = Gradients.make({ params: { w: Tensor.float(3, 2), b: Tensor.float(3) }, optimizer: adamW() })
 * const { views } = await Effect.runPromise(made.pipe(Effect.scoped, Effect.provide(OnnxBackend.layer())))
 * assert.deepEqual(Object.keys(views).sort(), ["b", "w"])
 * ```
 */
export const make = (options: LayoutOptions): Effect.Effect<Gradients, never, Backend | Scope.Scope> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const layout = layoutOf(options)
    return yield* Effect.acquireRelease(
      Effect.gen(function* () {
        const vectors: Record<string, DeviceTensor> = {}
        for (const group of layout.groups) vectors[group.id] = yield* backend.vector(layout.lengthOf(group))
        return { vectors, views: yield* views(backend, layout, vectors) }
      }),
      (made) => transfer.release(backend, [made.views, made.vectors])
    )
  })
