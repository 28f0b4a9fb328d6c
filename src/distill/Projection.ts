import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { type HostTensor, Tensor, tf } from "../backend/index.ts"
import type { Projections, Tap } from "../loss/index.ts"
import { Axis, Bert, type ParameterSpec, type ParameterTensors, type ParameterValues } from "../model/index.ts"
import { Seed, Spec } from "../spec/index.ts"

/** How the maps from the student's width to the teacher's start, and whether all layers share one. */
export interface Projection {
  readonly spec: Spec.Spec
  readonly start: "identity" | "random" | "none"
  readonly shared: boolean
}

/** The projections of a run. */
export class ProjectionService extends Context.Service<ProjectionService, Projection>()("homodistil/Projection") {}

/** Provides projections. */
export const layer = (projection: Projection): Layer.Layer<ProjectionService> =>
  Layer.succeed(ProjectionService, ProjectionService.of(projection))

/**
 * Projections that start as the identity, so that a student that equals its teacher has no loss, or random; one for each layer
 * unless shared. A student narrower than its teacher from the start gets random ones in any case.
 *
 * @example
 * ```ts
 * import { Projection } from "homodistil/distill"
 * assert.equal(Projection.make().start, "identity")
 * ```
 */
export const make = (
  options: { readonly start?: "identity" | "random"; readonly shared?: boolean } = {}
): Projection => {
  const [start, shared] = [options.start ?? "identity", options.shared ?? false]
  return { spec: Spec.make("projection", { options: { start, shared } }), start, shared }
}

/** No projections: a student of its teacher's width, compared as it is. */
export const none: Projection = { spec: Spec.make("noProjection"), start: "none", shared: false }

const nameOf = (projection: Projection, layer: number | "embedding"): string =>
  projection.shared
    ? "projection.weight"
    : layer === "embedding"
      ? "projection.embedding.weight"
      : `projection.layer.${layer}.weight`

/** The parameters a loss with these taps needs: each [hidden, teacher hidden]; nothing without projections. */
export const specs = (
  projection: Projection,
  taps: ReadonlyArray<Tap>,
  layers: number
): ReadonlyArray<ParameterSpec> => {
  if (projection.start === "none") return []
  const names = new Set([
    ...(taps.includes("embedding") ? [nameOf(projection, "embedding")] : []),
    ...(taps.includes("hidden") ? Array.from({ length: layers }, (_, i) => nameOf(projection, i)) : [])
  ])
  return [...names].map((name) => ({ name, axes: [Axis.hidden, Axis.teacherHidden], output: Axis.teacherHidden }))
}

/** Starting values for a student of width `from` under a teacher of width `to`. */
export const initialise = (
  projection: Projection,
  specs: ReadonlyArray<ParameterSpec>,
  from: number,
  to: number,
  seed: Seed.Seed
): ParameterValues => Object.fromEntries(specs.map(({ name }) => [name, start(projection, name, from, to, seed)]))

const start = (projection: Projection, name: string, from: number, to: number, seed: Seed.Seed): HostTensor => {
  if (projection.start === "identity" && from === to)
    return Tensor.host(
      Float32Array.from({ length: from * to }, (_, i) => (i % (to + 1) === 0 ? 1 : 0)),
      [from, to]
    )
  const draws = Seed.normals(Seed.child(seed, name), from * to)
  return Tensor.host(
    draws.map((z) => z / Math.sqrt(from)),
    [from, to]
  )
}

/** The projections as a loss uses them. */
export const apply = (projection: Projection, parameters: ParameterTensors): Projections => {
  const through = (name: string, states: tf.Tensor): tf.Tensor =>
    projection.start === "none" ? states : tf.matMul(states, Bert.parameter(parameters, name))
  return {
    embedding: (states) => through(nameOf(projection, "embedding"), states),
    hidden: (states, layer) => through(nameOf(projection, layer), states)
  }
}
