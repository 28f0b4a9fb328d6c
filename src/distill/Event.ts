import type { Axis } from "../model/index.ts"
import type { PrunePlan } from "../pruning/index.ts"
import type { StepState } from "./StepState.ts"

/** The widths of the prunable axes at a moment. */
export type Widths = { readonly [axis: Axis.AxisId]: number }

/** What happens in a distillation, in order; the stream of these is the run. */
export type DistillEvent =
  | {
      readonly _tag: "Started"
      readonly steps: number
      readonly widths: Widths
      /** Parameters of the student. */
      readonly parameters: number
      /** Nodes of the compiled step; 0 where it runs eagerly. */
      readonly nodes: number
    }
  | {
      readonly _tag: "Stepped"
      /** Steps done. */
      readonly step: number
      readonly learningRate: number
      /** The weighted sum that was differentiated. */
      readonly total: number
      /** Unweighted terms by name. */
      readonly terms: { readonly [term: string]: number }
    }
  | {
      readonly _tag: "Pruned"
      /** Steps done. */
      readonly step: number
      readonly ratio: number
      /** Units kept, as indices into those there were. */
      readonly plan: PrunePlan.PrunePlan
      /** The scores the units there were have been ranked by. */
      readonly scores: ReadonlyMap<Axis.AxisId, Float32Array>
      readonly widths: Widths
      readonly parameters: number
      readonly nodes: number
    }
  | {
      /** A state to evaluate, write or resume from. */
      readonly _tag: "Snapshot"
      readonly state: StepState
      readonly last: boolean
    }
