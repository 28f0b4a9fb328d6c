import { type HostTensor, Tensor } from "../backend/index.ts"
import { Axis, BertConfig, Model, type ParameterSpec, Parameters } from "../model/index.ts"
import type { TrainStep } from "../optimizer/index.ts"
import { PrunePlan } from "../pruning/index.ts"
import type { PruningMode } from "./PruningMode.ts"

/** The whole state of a distillation between two steps; nothing else is kept anywhere, so resuming is exact. */
export interface StepState {
  /** Steps done. */
  readonly step: number
  /** The student before anything was pruned. */
  readonly config: BertConfig.BertConfig
  /** Which of the original units remain. */
  readonly kept: PrunePlan.PrunePlan
  /** Whether units that do not remain are masked instead of cut. */
  readonly masked: boolean
  /** Present where single weights are zeroed instead of units pruned. */
  readonly sparse?: true
  /** Weights and projections, moments, scorer slots. */
  readonly train: TrainStep.TrainState<HostTensor>
}

/** The axes before anything was pruned, with the teacher's width for the projections. */
export const originalAxes = (config: BertConfig.BertConfig, teacherWidth: number): Axis.Axes =>
  Axis.of([
    ...BertConfig.axes(config).values(),
    { id: Axis.teacherHidden, size: teacherWidth, blocks: 1, prunable: false }
  ])

/** The axes at their present sizes: those of the units that remain. */
export const axes = (state: Pick<StepState, "config" | "kept">): Axis.Axes =>
  PrunePlan.axesAfter(BertConfig.axes(state.config), state.kept)

/** The student's configuration at its present widths. */
export const config = (state: Pick<StepState, "config" | "kept">): BertConfig.BertConfig =>
  BertConfig.fromAxes(state.config, axes(state))

/**
 * Whether units are silenced in a state: before the first pruning a masked student is computed as a whole one, to the bit. Rounding of
 * its own would count there: the losses are zero, and Adam turns the smallest gradients into whole steps.
 */
export const isSilenced = (state: Pick<StepState, "kept" | "masked">): boolean =>
  state.masked && state.kept.kept.size > 0

/** A state whose weights, moments, scorer slots and projections are all cut by one plan over its present units. */
export const cut = (state: StepState, specs: ReadonlyArray<ParameterSpec>, plan: PrunePlan.PrunePlan): StepState => {
  const bySlot = (slots: TrainStep.TrainState<HostTensor>["slots"]) =>
    Object.fromEntries(Object.entries(slots).map(([slot, values]) => [slot, PrunePlan.cutTree(values, specs, plan)]))
  return {
    ...state,
    kept: PrunePlan.compose(state.kept, plan),
    train: {
      params: PrunePlan.cutTree(state.train.params, specs, plan),
      moments: bySlot(state.train.moments),
      slots: bySlot(state.train.slots)
    }
  }
}

/**
 * A state whose pruned units are silenced instead of cut: what cutting would remove becomes 0 in weights, moments and scorer slots, and
 * stays so, for a silenced unit has no gradient.
 */
export const silence = (
  state: StepState,
  specs: ReadonlyArray<ParameterSpec>,
  plan: PrunePlan.PrunePlan
): StepState => {
  const kept = PrunePlan.compose(state.kept, plan)
  const byName = new Map(specs.map((spec) => [spec.name, spec]))
  const tree = (values: TrainStep.TrainState<HostTensor>["params"]) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => {
        const spec = byName.get(name)
        if (spec === undefined) throw new RangeError(`${name} has no axes; it is none of the parameters`)
        const whole = Axis.of(spec.axes.map((id, i) => ({ id, size: value.shape[i] ?? 0, blocks: 1, prunable: true })))
        return [name, multiply(value, PrunePlan.parameterMask(spec, whole, kept))]
      })
    )
  const bySlot = (slots: TrainStep.TrainState<HostTensor>["slots"]) =>
    Object.fromEntries(Object.entries(slots).map(([slot, values]) => [slot, tree(values)]))
  const { params, moments, slots } = state.train
  return { ...state, kept, train: { params: tree(params), moments: bySlot(moments), slots: bySlot(slots) } }
}

/** A state none of whose tensors is one of another state: those are copied. */
export const apartFrom = (state: StepState, other: StepState): StepState => {
  const shared = new Set<HostTensor>()
  const each = ({ params, moments, slots }: StepState["train"], visit: (tensor: HostTensor) => HostTensor) => {
    const tree = (values: StepState["train"]["params"]) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, visit(value)]))
    const bySlot = (values: StepState["train"]["slots"]) =>
      Object.fromEntries(Object.entries(values).map(([slot, inner]) => [slot, tree(inner)]))
    return { params: tree(params), moments: bySlot(moments), slots: bySlot(slots) }
  }
  each(other.train, (tensor) => {
    shared.add(tensor)
    return tensor
  })
  const copied = each(state.train, (tensor) => (shared.has(tensor) ? { ...tensor, data: tensor.data.slice() } : tensor))
  return { ...state, train: copied }
}

/** A state as runs under a mode see it: a state that was written need not tell what the mode knows. */
export const under = (mode: PruningMode, { sparse: _, ...state }: StepState): StepState =>
  mode.unstructured === true ? { ...state, sparse: true } : state

/** How many parameters of the student are left: those of its widths, without weights that are zeroed. */
export const parameters = (state: StepState): number =>
  state.sparse === true
    ? Model.size(model(state))
    : Parameters.count(Parameters.bert(state.config), BertConfig.axes(config(state)))

/** The student of a state as a model: cut to its widths, or masked. */
export const model = (state: StepState): Model.Model => {
  const specs = Parameters.bert(state.config)
  const weights = Object.fromEntries(specs.map(({ name }) => [name, weight(state, name)]))
  if (!state.masked)
    return { config: config(state), parameters: weights, ...(state.sparse === true ? { sparse: true } : {}) }
  const original = BertConfig.axes(state.config)
  const parameters = Object.fromEntries(
    specs.map((spec) => [
      spec.name,
      multiply(weight(state, spec.name), PrunePlan.parameterMask(spec, original, state.kept))
    ])
  )
  const hidden = PrunePlan.mask(state.kept, original)[Axis.hidden] ?? new Float32Array(0)
  return { config: state.config, parameters, keptHidden: Tensor.of(hidden) }
}

const weight = (state: StepState, name: string): HostTensor => {
  const value = state.train.params[name]
  if (value === undefined) throw new RangeError(`the state has no parameter ${name}`)
  return value
}

const multiply = (value: HostTensor, mask: HostTensor): HostTensor => ({
  ...value,
  // not a product, which makes -0 of a negative number
  data: Float32Array.from(value.data, (x, i) => (mask.data[i] === 0 ? 0 : x))
})
