import * as Context from "effect/Context"
import type { tf } from "../backend/index.ts"
import type { Spec } from "../spec/index.ts"

/** An optimiser's memory of one parameter: tensors by slot, each shaped like the parameter. */
export type Moments = { readonly [slot: string]: tf.Tensor }

/** One parameter at one step, as an optimiser sees it. */
export interface OptimizerInput {
  readonly param: tf.Tensor
  readonly grad: tf.Tensor
  readonly moments: Moments
  /** Rank-0 tensors by the names of `scalars`. */
  readonly scalars: { readonly [name: string]: tf.Tensor }
  /** Whether weight decay applies: to matrices, not to biases and normalisation weights. */
  readonly decays: boolean
}

/** An optimiser: pure functions over one parameter, and the host numbers of a step. */
export interface Optimizer {
  readonly spec: Spec.Spec
  readonly slots: ReadonlyArray<string>
  /** Host numbers of a step (counted from 0) at a learning rate; they enter the compiled step as inputs. */
  readonly scalars: (step: number, learningRate: number) => { readonly [name: string]: number }
  readonly update: (input: OptimizerInput) => { readonly param: tf.Tensor; readonly moments: Moments }
  /** Whether every weight is treated alone, so that parameters may be updated end to end in one vector. */
  readonly elementwise: boolean
  /** The norm the whole gradient is clipped to, where it is clipped. */
  readonly clipNorm: number | undefined
}

/** The optimiser of a run. */
export class OptimizerService extends Context.Service<OptimizerService, Optimizer>()("homodistil/Optimizer") {}
