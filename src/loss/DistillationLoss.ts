import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { tf } from "../backend/index.ts"
import type { Outputs } from "../model/index.ts"
import type { Spec } from "../spec/index.ts"

/** What a forward pass must expose for a loss: the embedding output, hidden states, attention scores, values, or logits at the masked positions. */
export type Tap = "embedding" | "hidden" | "scores" | "values" | "logits"

/** A forward pass as a loss sees it; `logits` is [masked positions, vocab]. */
export interface TappedOutputs extends Outputs {
  readonly logits: tf.Tensor
}

/** The learned maps from the student's width to the teacher's: [rows, student hidden] → [rows, teacher hidden]. */
export interface Projections {
  readonly embedding: (states: tf.Tensor) => tf.Tensor
  readonly hidden: (states: tf.Tensor, layer: number) => tf.Tensor
}

/** Everything a loss may look at. */
export interface LossInput {
  readonly student: TappedOutputs
  readonly teacher: TappedOutputs
  /** [masked positions], the tokens that were masked. */
  readonly labels: tf.Tensor
  /** [rows, length], 1 for a token and 0 for padding; absent when nothing is padded. */
  readonly attention?: tf.Tensor
  readonly projections: Projections
}

/** A loss's value: the number that is differentiated, and the plain value of each term for the eye. */
export interface LossValue {
  readonly total: tf.Tensor
  /** Unweighted terms by name, rank 0 each. */
  readonly terms: { readonly [term: string]: tf.Tensor }
}

/**
 * What losses leave open that a scale decides: the unit of attention's errors, and how layers are put together. `{ scale: "raw", reduce: "sum" }`
 * is the paper's; losses that are in no setting are in the micro one, `{ scale: "teacherVariance", reduce: "mean" }`.
 */
export interface Setting {
  readonly scale: "raw" | "teacherVariance"
  readonly reduce: "mean" | "sum"
}

/** A distillation loss: what it is called, what it needs exposed, and its value. */
export interface DistillationLoss {
  readonly spec: Spec.Spec
  /** Of the student, and of the teacher unless it is `teacherFree`. */
  readonly taps: ReadonlyArray<Tap>
  /** The names of the terms it reports. */
  readonly terms: ReadonlyArray<string>
  /** Whether it never looks at the teacher; false unless given. */
  readonly teacherFree?: boolean
  /**
   * The same loss in a setting: options that were given stay, those that were left open are the setting's. A loss that has none of them
   * leaves this out; one that wraps others puts them in the setting, or leaves it out.
   */
  readonly inSetting?: (setting: Setting) => DistillationLoss
  readonly apply: (input: LossInput) => LossValue
}

/**
 * What a loss taps of the teacher: nothing where it never looks at one, so that none need run.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual([Loss.maskedLm(), Loss.kl()].map(Loss.teacherTaps), [[], ["logits"]])
 * ```
 */
export const teacherTaps = ({
  taps,
  teacherFree
}: Pick<DistillationLoss, "taps" | "teacherFree">): ReadonlyArray<Tap> => (teacherFree === true ? [] : taps)

/** The loss a run is trained with. */
export class LossService extends Context.Service<LossService, DistillationLoss>()("homodistil/DistillationLoss") {}

/** Provides a loss. */
export const layer = (loss: DistillationLoss): Layer.Layer<LossService> =>
  Layer.succeed(LossService, LossService.of(loss))

/**
 * A loss in a setting, where it stays; itself where nothing of it is open.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * const paper = { scale: "raw", reduce: "sum" } as const
 * assert.deepEqual(Loss.inSetting(Loss.attention({ reduce: "mean" }), paper).spec.options, { scale: "raw", reduce: "mean" })
 * const mlm = Loss.maskedLm()
 * assert.equal(Loss.inSetting(mlm, paper), mlm)
 * ```
 */
export const inSetting = (loss: DistillationLoss, setting: Setting): DistillationLoss =>
  loss.inSetting === undefined ? loss : loss.inSetting(setting)

/** The value of a loss that is one term. */
export const term = (name: string, value: tf.Tensor): LossValue => ({ total: value, terms: { [name]: value } })
