import type { Spec } from "../spec/index.ts"

/** A number that depends on the step: a learning rate, a remaining ratio, the weight of a loss. */
export interface Schedule {
  readonly spec: Spec.Spec
  /** The value at a step; steps count from 0. */
  readonly at: (step: number) => number
}
