/** The name of an axis: `hidden`, `vocab`, `layer.3.ffn`, `layer.3.qk`, ... */
export type AxisId = string

/**
 * A named dimension that parameters share: what is pruned together carries one name.
 *
 * `blocks` is the number of heads the axis is divided into (1 for most): every block keeps the same number of units.
 */
export interface Axis {
  readonly id: AxisId
  readonly size: number
  readonly blocks: number
  /** Whether units of this axis may be pruned; those of `vocab`, `position`, `type` and `teacher.hidden` may not. */
  readonly prunable: boolean
}

/** The axes of a model by name. */
export type Axes = ReadonlyMap<AxisId, Axis>

/** The axis that every layer shares: the residual width. */
export const hidden: AxisId = "hidden"

/** The width of the teacher, which the student's hidden states are projected to. */
export const teacherHidden: AxisId = "teacher.hidden"

/** The axes of one layer: `ffn` inside the feed-forward block, `qk` and `vo` inside attention, divided by heads. */
export const ofLayer = (layer: number, kind: "ffn" | "qk" | "vo"): AxisId => `layer.${layer}.${kind}`

/**
 * The axis of a name; a defect when the model has none.
 *
 * @example
 * ```ts
 * import { Axis, BertConfig } from "homodistil/model"
 * const axes = BertConfig.axes(BertConfig.micro)
 * assert.equal(Axis.get(axes, "layer.0.qk").blocks, 4)
 * assert.throws(() => Axis.get(axes, "layer.9.qk"), /layer\.9\.qk/)
 * ```
 */
export const get = (axes: Axes, id: AxisId): Axis => {
  const axis = axes.get(id)
  if (axis === undefined) throw new RangeError(`there is no axis ${id}; there are ${[...axes.keys()].join(", ")}`)
  return axis
}

/** Axes of a list, by name. */
export const of = (list: ReadonlyArray<Axis>): Axes => new Map(list.map((axis) => [axis.id, axis]))

/** The axes that may be pruned, in order. */
export const prunable = (axes: Axes): ReadonlyArray<Axis> => [...axes.values()].filter((axis) => axis.prunable)

/** The same axes with some sizes replaced. */
export const resize = (axes: Axes, sizes: ReadonlyMap<AxisId, number>): Axes =>
  of([...axes.values()].map((axis) => ({ ...axis, size: sizes.get(axis.id) ?? axis.size })))
