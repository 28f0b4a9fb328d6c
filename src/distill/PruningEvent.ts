import * as Effect from "effect/Effect"
import { type HostTensor, Tensor } from "../backend/index.ts"
import { scoreAll } from "../importance/index.ts"
import { type Axis, BertConfig, Parameters, type ParameterValues } from "../model/index.ts"
import { Granularity, PrunePlan, type RemainingRatio, Threshold } from "../pruning/index.ts"
import { Seed } from "../spec/index.ts"
import { begins, type DistillPlan, isTime } from "./DistillPlan.ts"
import * as StepState from "./StepState.ts"
import { matrices, parameterSpecs, watched } from "./StudentStep.ts"

/**
 * Whether units are ranked once `done` steps are done: every K steps, and when the ratio becomes final, but not before the
 * scorer has scores: what would be due then waits for the next time. It goes on after the end: with
 * regrowth units still change places at the final ratio; without it `shrinks` tells that nothing is left to go. Single weights, which come
 * back between events, are ranked after the last step as well.
 */
export const isDue = (plan: DistillPlan, ratio: RemainingRatio.CheckedRatio, done: number): boolean =>
  done >= begins(plan) && isTime(plan, ratio, done)

/** The ranking's view of a state: which sizes shrink, and to what. */
const input = (plan: DistillPlan, state: StepState.StepState, ratio: number) => {
  const original = BertConfig.axes(state.config)
  // with regrowth every unit is a candidate again
  return { original, current: plan.mode.regrowth ? original : StepState.axes(state), ratio }
}

/** Whether a ratio makes any axis of a state smaller than it is, or zeroes single weights. */
export const shrinks = (plan: DistillPlan, state: StepState.StepState, ratio: number): boolean =>
  plan.mode.unstructured === true ? ratio < 1 : plan.ranking.widths(input(plan, state, ratio)).size > 0

const select = (scores: Float32Array, kept: Int32Array | undefined): Float32Array =>
  kept === undefined ? scores : Float32Array.from(kept, (unit) => scores[unit] ?? 0)

/** Uniform numbers for the original parameter, cut like it, so that masked and cut runs draw alike. */
const noiseOf = (state: StepState.StepState, seed: Seed.Seed) => {
  const axes = BertConfig.axes(state.config)
  const specs = new Map(Parameters.bert(state.config).map((spec) => [spec.name, spec]))
  return (name: string): HostTensor => {
    const spec = specs.get(name)
    if (spec === undefined) throw new RangeError(`there is no parameter ${name}`)
    const shape = Parameters.shape(spec, axes)
    const draws = Seed.uniforms(
      Seed.child(Seed.child(seed, "noise", state.step), name),
      shape.reduce((n, s) => n * s, 1)
    )
    const whole = Tensor.host(draws, shape)
    return state.masked ? whole : PrunePlan.cut(whole, spec.axes, state.kept)
  }
}

/** The scores of the weights of every watched parameter. */
const weightScores = (
  plan: DistillPlan,
  state: StepState.StepState,
  seed: Seed.Seed
): Effect.Effect<ParameterValues> => {
  const params: ParameterValues = Object.fromEntries(
    watched(state.config).flatMap(({ name }) => {
      const value = state.train.params[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
  return scoreAll(plan.scorer, params, state.train.slots, noiseOf(state, seed))
}

/** The scores of the present units of every prunable axis, from those of their weights, which are computed here unless given. */
export const unitScores = (
  plan: DistillPlan,
  state: StepState.StepState,
  seed: Seed.Seed,
  elementwise?: ParameterValues
): Effect.Effect<ReadonlyMap<Axis.AxisId, Float32Array>> =>
  Effect.gen(function* () {
    const specs = watched(state.config)
    const scores = elementwise ?? (yield* weightScores(plan, state, seed))
    if (!state.masked) return Granularity.scoreUnits(plan.granularity, StepState.axes(state), specs, scores)
    const original = BertConfig.axes(state.config)
    const silenced = plan.mode.regrowth
      ? scores
      : Object.fromEntries(
          specs.map((spec) => [
            spec.name,
            multiply(scores[spec.name], PrunePlan.parameterMask(spec, original, state.kept))
          ])
        )
    const whole = Granularity.scoreUnits(plan.granularity, original, specs, silenced)
    return plan.mode.regrowth
      ? whole
      : new Map([...whole].map(([axis, values]) => [axis, select(values, state.kept.kept.get(axis))]))
  })

const multiply = (scores: HostTensor | undefined, mask: HostTensor): HostTensor => ({
  ...mask,
  data: Float32Array.from(mask.data, (kept, i) => (kept === 0 ? 0 : (scores?.data[i] ?? 0)))
})

/** What a pruning event leaves, and why. */
export interface Pruning {
  readonly state: StepState.StepState
  /** Units kept, over the units there were; the identity when nothing goes. */
  readonly plan: PrunePlan.PrunePlan
  /** The scores the units were ranked by. */
  readonly scores: ReadonlyMap<Axis.AxisId, Float32Array>
}

/** A state whose lowest weights are zeroed, all matrices ranked together; moments and what the scorer remembers stay. */
const zeroed = (state: StepState.StepState, ratio: number, scores: ParameterValues): StepState.StepState => {
  const names = new Set(matrices(state.config).map(({ name }) => name))
  const threshold = Threshold.of(
    Object.entries(scores).flatMap(([name, value]) => (names.has(name) ? [value] : [])),
    ratio
  )
  const params = Object.fromEntries(
    Object.entries(state.train.params).map(([name, value]) => {
      const score = scores[name]
      return [name, score === undefined || !names.has(name) ? value : Threshold.apply(value, score, threshold)]
    })
  )
  return { ...state, train: { ...state.train, params } }
}

/** Scores (unless the scores of weights are given), ranks and removes units, or zeroes weights, until the remaining ratio is met. */
export const prune = (
  plan: DistillPlan,
  state: StepState.StepState,
  ratio: number,
  seed: Seed.Seed,
  elementwise?: ParameterValues
): Effect.Effect<Pruning> =>
  Effect.gen(function* () {
    if (plan.mode.unstructured === true) {
      const weights = elementwise ?? (yield* weightScores(plan, state, seed))
      return { state: zeroed(state, ratio, weights), plan: PrunePlan.identity, scores: new Map() }
    }
    const scores = yield* unitScores(plan, state, seed, elementwise)
    const chosen = plan.ranking.plan({ ...input(plan, state, ratio), scores })
    if (plan.mode.regrowth) return { state: { ...state, kept: chosen }, plan: chosen, scores }
    if (state.masked)
      return { state: StepState.silence(state, parameterSpecs(plan, state.config), chosen), plan: chosen, scores }
    return { state: StepState.cut(state, parameterSpecs(plan, state.config), chosen), plan: chosen, scores }
  })
