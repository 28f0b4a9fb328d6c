import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { HostTensor } from "../backend/index.ts"
import { Axis, type ParameterSpec, type ParameterValues } from "../model/index.ts"
import { Spec } from "../spec/index.ts"
import { ShapeError } from "./ShapeError.ts"

/** A parameter that has the axis, with the elementwise scores of its weights. */
export interface ScoredParameter {
  readonly spec: ParameterSpec
  readonly scores: HostTensor
}

/** How scores of weights become scores of units. */
export interface Granularity {
  readonly spec: Spec.Spec
  /**
   * One score a unit of the axis, [axis size]; sums run in double precision, so the order of members hardly matters.
   *
   * Throws `ShapeError` when a member's size along the axis is another.
   */
  readonly unitScores: (axis: Axis.Axis, members: ReadonlyArray<ScoredParameter>) => Float32Array
}

/** The granularity of a run. */
export class GranularityService extends Context.Service<GranularityService, Granularity>()("homodistil/Granularity") {}

/** Provides a granularity. */
export const layer = (granularity: Granularity): Layer.Layer<GranularityService> =>
  Layer.succeed(GranularityService, GranularityService.of(granularity))

/** Adds the absolute scores along every dimension but one to the sums of that dimension's units. */
const add = (sums: Float64Array, axis: Axis.Axis, { shape, data }: HostTensor, dimension: number): void => {
  const size = shape[dimension] ?? 1
  if (size !== axis.size) throw new ShapeError({ axis: axis.id, expected: `${axis.size} units`, got: String(size) })
  const inner = shape.slice(dimension + 1).reduce((n, each) => n * each, 1)
  for (let start = 0, unit = 0; start < data.length; start += inner, unit = unit + 1 === size ? 0 : unit + 1) {
    let sum = 0
    for (let i = start; i < start + inner; i++) sum += Math.abs(data[i] ?? 0)
    sums[unit] = (sums[unit] ?? 0) + sum
  }
}

const byDimensions = (
  name: string,
  dimensionsOf: (spec: ParameterSpec, axis: Axis.AxisId) => ReadonlyArray<number>
): Granularity => ({
  spec: Spec.make(name),
  unitScores: (axis, members) => {
    const sums = new Float64Array(axis.size)
    for (const { spec, scores } of members)
      for (const dimension of dimensionsOf(spec, axis.id)) add(sums, axis, scores, dimension)
    return Float32Array.from(sums)
  }
})

/**
 * The L1 norm of the weights and biases that produce the unit: its column of the paper (paper, §3).
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { Granularity } from "homodistil/pruning"
 * const ffn = { id: "layer.0.ffn", size: 2, blocks: 1, prunable: true }
 * const up = { spec: { name: "up", axes: ["layer.0.ffn", "hidden"], output: "layer.0.ffn" }, scores: Tensor.host([1, 2, 3, 4], [2, 2]) }
 * const down = { spec: { name: "down", axes: ["hidden", "layer.0.ffn"], output: "hidden" }, scores: Tensor.host([10, 20, 30, 40], [2, 2]) }
 * assert.deepEqual([...Granularity.producers().unitScores(ffn, [up, down])], [3, 7])
 * assert.deepEqual([...Granularity.users().unitScores(ffn, [up, down])], [43, 67])
 * ```
 */
export const producers = (): Granularity =>
  byDimensions("producers", (spec, axis) => (spec.output === axis ? [spec.axes.indexOf(axis)] : []))

/** The L1 norm of everything that goes when the unit goes: the parameters that produce it and those that read it. The micro default. */
export const users = (): Granularity =>
  byDimensions("users", (spec, axis) => spec.axes.flatMap((id, dimension) => (id === axis ? [dimension] : [])))

/** The scores of the units of every prunable axis, from elementwise scores by parameter name. */
export const scoreUnits = (
  granularity: Granularity,
  axes: Axis.Axes,
  specs: ReadonlyArray<ParameterSpec>,
  scores: ParameterValues
): ReadonlyMap<Axis.AxisId, Float32Array> => {
  const members = specs.flatMap((spec) => {
    const found = scores[spec.name]
    return found === undefined ? [] : [{ spec, scores: found }]
  })
  return new Map(
    Axis.prunable(axes).map((axis) => [
      axis.id,
      granularity.unitScores(
        axis,
        members.filter(({ spec }) => spec.axes.includes(axis.id))
      )
    ])
  )
}
