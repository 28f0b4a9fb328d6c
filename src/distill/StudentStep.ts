import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Backend, type CompileError, type HostTensor, Tensor, type TensorSpec, tf } from "../backend/index.ts"
import { teacherTaps } from "../loss/index.ts"
import { Axis, Bert, BertConfig, Dropout, Parameters, type ParameterSpec, Tokens } from "../model/index.ts"
import { TrainStep } from "../optimizer/index.ts"
import { PrunePlan } from "../pruning/index.ts"
import { Seed } from "../spec/index.ts"
import type { DistillPlan } from "./DistillPlan.ts"
import * as Projection from "./Projection.ts"
import * as StepState from "./StepState.ts"
import * as Teacher from "./Teacher.ts"

/** The inputs of a distillation step besides its state. */
export type StepInputs<T> = {
  readonly tokens: Tokens.TokenTree<T>
  readonly positions: T
  readonly labels: T
  readonly teacher: Teacher.TapTree<T>
  readonly dropout: Dropout.Draws<T>
  /** By prunable axis, 1 for a kept unit; empty when no unit is silenced. */
  readonly masks: { readonly [axis: Axis.AxisId]: T }
}

/** The parameters of a step: the student's and the projections its loss needs. */
export const parameterSpecs = (plan: DistillPlan, config: BertConfig.BertConfig): ReadonlyArray<ParameterSpec> =>
  Parameters.sorted([...Parameters.bert(config), ...Projection.specs(plan.projection, plan.loss.taps, config.layers)])

/** The parameters an importance scorer watches: those of the student that have a prunable axis. */
export const watched = (config: BertConfig.BertConfig): ReadonlyArray<ParameterSpec> => {
  const axes = BertConfig.axes(config)
  return Parameters.bert(config).filter((spec) => spec.axes.some((id) => Axis.get(axes, id).prunable))
}

/** The parameters that lose single weights where those are pruned: the matrices among the watched. */
export const matrices = (config: BertConfig.BertConfig): ReadonlyArray<ParameterSpec> =>
  watched(config).filter(({ axes }) => axes.length > 1)

/** The observer that feeds the plan's scorer. */
export const observer = (plan: DistillPlan, config: BertConfig.BertConfig): TrainStep.Observer => {
  const names = new Set(watched(config).map(({ name }) => name))
  return {
    slots: plan.scorer.slots,
    watches: (name) => names.has(name),
    // without slots there is nothing to update, whatever the score looks at
    elementwise: plan.scorer.elementwise === true || plan.scorer.slots.length === 0,
    scalars: plan.scorer.scalars,
    update: plan.scorer.update
  }
}

/** A tensor with the units of some of its axes silenced. */
const masked = (
  tensor: tf.Tensor,
  axes: ReadonlyArray<Axis.AxisId>,
  masks: StepInputs<tf.Tensor>["masks"],
  silences: (axis: Axis.AxisId) => boolean
): tf.Tensor =>
  axes.reduce((left, axis, dimension) => {
    const mask = masks[axis]
    return mask === undefined || !silences(axis)
      ? left
      : tf.mul(
          left,
          tf.reshape(
            mask,
            axes.map((_, i) => (i === dimension ? -1 : 1))
          )
        )
  }, tensor)

/** The mask of each prunable axis as an input; empty when no unit is silenced. */
export const masks = (state: StepState.StepState): StepInputs<HostTensor>["masks"] =>
  StepState.isSilenced(state)
    ? Object.fromEntries(
        Object.entries(PrunePlan.mask(state.kept, BertConfig.axes(state.config))).map(([axis, data]) => [
          axis,
          Tensor.of(data)
        ])
      )
    : {}

/** The draws of dropout at a step. */
export const dropout = (plan: DistillPlan, config: BertConfig.BertConfig, seed: Seed.Seed, step: number) => {
  const { rows, length } = plan.training
  return Dropout.draw(config, rates(plan), rows, length, Seed.child(seed, "dropout", step))
}

const rates = ({ training }: DistillPlan): Dropout.DropoutRates => ({
  hidden: training.hiddenDropout,
  attention: training.attentionDropout
})

/** Compiles the step of a state: student forward, loss, backward, clipping, optimiser and scorer in one native call. */
export const compile = (
  plan: DistillPlan,
  state: StepState.StepState,
  teacher: BertConfig.BertConfig,
  batch: Teacher.BatchShape
): Effect.Effect<TrainStep.TrainStep<StepInputs<TensorSpec>>, CompileError, Backend | Scope.Scope> => {
  const { tokens } = batch
  const config = state.masked ? state.config : StepState.config(state)
  const specs = parameterSpecs(plan, config)
  const axesOf = new Map(specs.map((spec) => [spec.name, spec]))
  const axes = StepState.originalAxes(config, teacher.hidden)
  const spec = (name: string): ParameterSpec => {
    const found = axesOf.get(name)
    if (found === undefined) throw new RangeError(`there is no parameter ${name}`)
    return found
  }
  const { regrowth } = plan.mode
  const silenced = StepState.isSilenced(state)
  const inputs: StepInputs<TensorSpec> = {
    tokens: Tokens.signature(tokens),
    positions: Tensor.int(batch.masked),
    labels: Tensor.int(batch.masked),
    teacher: Teacher.signature(teacher, teacherTaps(plan.loss), batch),
    dropout: Dropout.signature(config, rates(plan), tokens.rows, tokens.length),
    masks: Object.fromEntries(
      silenced ? Axis.prunable(axes).map(({ id, size }): [string, TensorSpec] => [id, Tensor.float(size)]) : []
    )
  }
  return TrainStep.compile<StepInputs<TensorSpec>>({
    name: "distillation step",
    params: Parameters.signature(specs, axes),
    inputs,
    optimizer: plan.optimizer,
    observer: observer(plan, config),
    loss: (params, x: StepInputs<tf.Tensor>) => {
      const kept = x.masks[Axis.hidden]
      const options: Bert.ForwardOptions = {
        dropout: { rates: rates(plan), draws: x.dropout },
        ...(kept === undefined ? {} : { keptHidden: kept })
      }
      const text = Tokens.tensors(tokens, x.tokens)
      const outputs = Bert.encode(params, config, text, options)
      return plan.loss.apply({
        student: Bert.withLogits(params, config, outputs, x.positions, options),
        teacher: Teacher.outputs(x.teacher),
        labels: x.labels,
        ...(text.attention === undefined ? {} : { attention: text.attention }),
        projections: Projection.apply(plan.projection, params)
      })
    },
    ...(silenced
      ? {
          // Regrowth silences only what produces a unit, so that a gradient still tells what bringing it back would do.
          view: (name, param, x: StepInputs<tf.Tensor>) =>
            masked(param, spec(name).axes, x.masks, (axis) => !regrowth || axis === spec(name).output)
        }
      : {})
  })
}
