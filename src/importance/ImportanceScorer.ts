import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { tf } from "../backend/index.ts"
import type { Spec } from "../spec/index.ts"

/** A scorer's memory of one parameter: tensors by slot, each shaped like the parameter, so one plan cuts everything. */
export type Slots = { readonly [slot: string]: tf.Tensor }

/** What a scorer sees of one parameter after the optimiser's update: the new weights, the gradient of that step, host numbers. */
export interface UpdateInput {
  readonly param: tf.Tensor
  readonly grad: tf.Tensor
  /** Rank-0 tensors by the names of `scalars`. */
  readonly scalars: { readonly [name: string]: tf.Tensor }
}

/** What a scorer sees of one parameter at a pruning event. */
export interface ScoreInput {
  readonly param: tf.Tensor
  /** Uniform numbers in [0, 1) shaped like the parameter, from the run's seed and the step; only the random control asks. */
  readonly noise: () => tf.Tensor
}

/**
 * An importance scorer: elementwise scores of a parameter from the weights and gradients it has seen (paper, §3).
 *
 * It works on one parameter at a time and keeps nothing but its slots, which start at zero.
 */
export interface ImportanceScorer {
  readonly spec: Spec.Spec
  readonly slots: ReadonlyArray<string>
  /** Host numbers of a step (counted from 0) that enter the compiled step as inputs. */
  readonly scalars: (step: number) => { readonly [name: string]: number }
  /** The slots after a step; traced into the training step. */
  readonly update: (slots: Slots, input: UpdateInput) => Slots
  /** Non-negative scores shaped like the parameter. */
  readonly score: (slots: Slots, input: ScoreInput) => tf.Tensor
  /** Whether `update` and `score` treat every weight alone, so that parameters may be laid end to end in one vector; false unless given. */
  readonly elementwise?: boolean
  /** Whether the slots hold the last step alone, so that a scorer which averages this one need not keep them; false unless given. */
  readonly momentary?: boolean
  /** Steps after which there are scores to rank by; before, all of them are 0. 1 unless given. */
  readonly begins?: number
  /** Whether the score is whole after a step (a window has ended), which smoothing scorers wait for; true unless given. */
  readonly completes?: (step: number) => boolean
}

/** The scorer a run prunes by. */
export class ScorerService extends Context.Service<ScorerService, ImportanceScorer>()("homodistil/ImportanceScorer") {}

/** Provides a scorer. */
export const layer = (scorer: ImportanceScorer): Layer.Layer<ScorerService> =>
  Layer.succeed(ScorerService, ScorerService.of(scorer))
