import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type HostTensor, Tensor } from "../backend/index.ts"
import { Axis, type ParameterSpec, type ParameterValues } from "../model/index.ts"
import { type ConfigError, type JsonObject, Options } from "../spec/index.ts"
import { cutAlong } from "./cutAlong.ts"
import { ShapeError } from "./ShapeError.ts"

/** Which units of each axis remain: sorted indices into its present units. An axis that is not named keeps all. */
export interface PrunePlan {
  readonly kept: ReadonlyMap<Axis.AxisId, Int32Array>
}

/** The plan that keeps everything. */
export const identity: PrunePlan = { kept: new Map() }

/** A plan from plain lists of indices, e.g. `{ hidden: [0, 2] }`. */
export const of = (kept: { readonly [axis: Axis.AxisId]: ArrayLike<number> }): PrunePlan => ({
  kept: new Map(Object.entries(kept).map(([axis, units]) => [axis, Int32Array.from(units)]))
})

/**
 * The plan that does `first` and then, on what is left, `second`.
 *
 * Throws `ShapeError` when `second` keeps units that `first` has removed.
 *
 * @example
 * ```ts
 * import { PrunePlan } from "homodistil/pruning"
 * const both = PrunePlan.compose(PrunePlan.of({ hidden: [1, 3, 5] }), PrunePlan.of({ hidden: [0, 2] }))
 * assert.deepEqual([...(both.kept.get("hidden") ?? [])], [1, 5])
 * ```
 */
export const compose = (first: PrunePlan, second: PrunePlan): PrunePlan => {
  const kept = new Map(first.kept)
  for (const [axis, units] of second.kept) {
    const before = first.kept.get(axis)
    if (before !== undefined) fit(axis, units, before.length)
    kept.set(axis, before === undefined ? units : units.map((i) => before[i] ?? -1))
  }
  return { kept }
}

/** Whether a plan keeps every unit of axes of these sizes. */
export const isIdentity = (plan: PrunePlan, axes: Axis.Axes): boolean =>
  [...plan.kept].every(([axis, units]) => units.length === Axis.get(axes, axis).size)

const fit = (axis: Axis.AxisId, units: Int32Array, size: number): void => {
  const last = units.at(-1) ?? 0
  if (last >= size) throw new ShapeError({ axis, expected: `more than ${last} units`, got: String(size) })
}

/**
 * A tensor with only the kept units of its axes; the same object where nothing goes.
 *
 * Throws `ShapeError` when the tensor has another rank than `axes`, or fewer units than the plan counts.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { PrunePlan } from "homodistil/pruning"
 * const weight = Tensor.host([1, 2, 3, 4, 5, 6], [2, 3])
 * const cut = PrunePlan.cut(weight, ["layer.0.ffn", "hidden"], PrunePlan.of({ hidden: [0, 2], "layer.0.ffn": [1] }))
 * assert.deepEqual([cut.shape, [...cut.data]], [[1, 2], [4, 6]])
 * ```
 */
export const cut = (tensor: HostTensor, axes: ReadonlyArray<Axis.AxisId>, plan: PrunePlan): HostTensor => {
  if (tensor.shape.length !== axes.length)
    throw new ShapeError({
      axis: axes.join(" × "),
      expected: `rank ${axes.length}`,
      got: `rank ${tensor.shape.length}`
    })
  return axes.reduce((left, axis, dimension) => {
    const units = plan.kept.get(axis)
    const size = left.shape[dimension] ?? 0
    if (units === undefined) return left
    fit(axis, units, size)
    return units.length === size ? left : cutAlong(left, dimension, units)
  }, tensor)
}

/** Every tensor of a record cut along the axes of the parameter it belongs to: weights, moments or scorer slots alike. */
export const cutTree = (
  values: ParameterValues,
  specs: ReadonlyArray<ParameterSpec>,
  plan: PrunePlan
): ParameterValues => {
  const byName = new Map(specs.map((spec) => [spec.name, spec]))
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const spec = byName.get(name)
      if (spec === undefined) throw new RangeError(`${name} has no axes; it is none of the parameters`)
      return [name, cut(value, spec.axes, plan)]
    })
  )
}

/**
 * The axes after the plan.
 *
 * Throws `ShapeError` when an axis has fewer units than the plan counts.
 */
export const axesAfter = (axes: Axis.Axes, plan: PrunePlan): Axis.Axes => {
  for (const [axis, units] of plan.kept) fit(axis, units, Axis.get(axes, axis).size)
  return Axis.resize(axes, new Map([...plan.kept].map(([axis, units]) => [axis, units.length])))
}

/**
 * For each prunable axis (at its size before the plan): 1 for a kept unit, 0 for the others.
 *
 * @example
 * ```ts
 * import { Axis } from "homodistil/model"
 * import { PrunePlan } from "homodistil/pruning"
 * const axes = Axis.of([{ id: "hidden", size: 4, blocks: 1, prunable: true }])
 * assert.deepEqual([...(PrunePlan.mask(PrunePlan.of({ hidden: [0, 3] }), axes).hidden ?? [])], [1, 0, 0, 1])
 * ```
 */
export const mask = (plan: PrunePlan, axes: Axis.Axes): { readonly [axis: Axis.AxisId]: Float32Array } =>
  Object.fromEntries(Axis.prunable(axes).map((axis) => [axis.id, maskOf(plan, axis)]))

const maskOf = (plan: PrunePlan, axis: Axis.Axis): Float32Array => {
  const units = plan.kept.get(axis.id)
  if (units === undefined) return new Float32Array(axis.size).fill(1)
  fit(axis.id, units, axis.size)
  const ones = new Float32Array(axis.size)
  for (const unit of units) ones[unit] = 1
  return ones
}

/** A parameter's mask at the sizes of `axes`: 1 where all its units are kept, 0 elsewhere. */
export const parameterMask = (spec: ParameterSpec, axes: Axis.Axes, plan: PrunePlan): HostTensor => {
  const shape = spec.axes.map((id) => Axis.get(axes, id).size)
  const data = new Float32Array(Tensor.elements(shape)).fill(1)
  let inner = data.length
  spec.axes.forEach((id) => {
    const axis = Axis.get(axes, id)
    inner /= axis.size
    if (!plan.kept.has(id)) return
    const ones = maskOf(plan, axis)
    for (let i = 0; i < data.length; i++) if (ones[Math.floor(i / inner) % axis.size] === 0) data[i] = 0
  })
  return Tensor.of(data, shape)
}

/** The plan as JSON: a list of kept indices for each axis. */
export const toJson = (plan: PrunePlan): JsonObject =>
  Object.fromEntries([...plan.kept].map(([axis, units]) => [axis, [...units]]))

const rising = Schema.makeFilter<ReadonlyArray<number>>(
  (units) => units.every((unit, i) => i === 0 || unit > (units[i - 1] ?? 0)) || "Expected rising indices",
  { expected: "rising indices" }
)
const Json = Schema.Record(
  Schema.String,
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))).check(
    Schema.isMinLength(1),
    rising
  )
)

/**
 * A plan from its JSON; fails with `ConfigError` when an axis is not a list of rising indices.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { PrunePlan } from "homodistil/pruning"
 * const plan = PrunePlan.of({ hidden: [0, 2] })
 * assert.deepEqual(Effect.runSync(PrunePlan.fromJson(PrunePlan.toJson(plan))), plan)
 * const error = Effect.runSync(Effect.flip(PrunePlan.fromJson({ hidden: [2, 0] })))
 * assert.match(error.message, /plan\.hidden = \[2,0\]: must be rising indices/)
 * ```
 */
export const fromJson = (json: unknown): Effect.Effect<PrunePlan, ConfigError> =>
  Effect.map(Effect.fromResult(Options.decodeResult("plan", Json, json)), of)
