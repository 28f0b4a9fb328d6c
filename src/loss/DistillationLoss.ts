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

/** A distillation loss: what it is called, what it needs exposed, and its value. */
export interface DistillationLoss {
  readonly spec: Spec.Spec
  readonly taps: ReadonlyArray<Tap>
  /** The names of the terms it reports. */
  readonly terms: ReadonlyArray<string>
  /** Whether it never looks at the teacher; false unless given. */
  readonly teacherFree?: boolean
  readonly apply: (input: LossInput) => LossValue
}

/** The loss a run is trained with. */
export class LossService extends Context.Service<LossService, DistillationLoss>()("homodistil/DistillationLoss") {}

/** Provides a loss. */
export const layer = (loss: DistillationLoss): Layer.Layer<LossService> =>
  Layer.succeed(LossService, LossService.of(loss))

/** The value of a loss that is one term. */
export const term = (name: string, value: tf.Tensor): LossValue => ({ total: value, terms: { [name]: value } })
