import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { Spec } from "../spec/index.ts"

/**
 * What pruning does to a unit: `hard` removes it from every tensor, `masked` silences it and keeps the shapes.
 *
 * Masked with `regrowth` keeps the weights of silenced units, ranks all units anew at each event and lets them come back, as
 * PLATON does; without it a masked run equals the hard one. `unstructured` prunes single weights instead of units.
 */
export interface PruningMode {
  readonly spec: Spec.Spec
  readonly masked: boolean
  readonly regrowth: boolean
  /** Whether single weights are zeroed instead of units pruned; false unless given. */
  readonly unstructured?: boolean
}

/** The pruning mode of a run. */
export class PruningModeService extends Context.Service<PruningModeService, PruningMode>()("homodistil/PruningMode") {}

/** Provides a pruning mode. */
export const layer = (mode: PruningMode): Layer.Layer<PruningModeService> =>
  Layer.succeed(PruningModeService, PruningModeService.of(mode))

/** Units are cut out of weights, moments, scorer slots and projections, and the step is compiled for the smaller shapes. */
export const hard: PruningMode = { spec: Spec.make("hard"), masked: false, regrowth: false }

/**
 * Single weights of all matrices are ranked together at every event, the last step among them, and the lowest set to zero; the steps
 * that follow may bring them back (PLATON: Zhang et al. 2022, algorithm 1; paper, §3). Shapes stay, biases and layer norms too.
 */
export const unstructured: PruningMode = {
  spec: Spec.make("unstructured"),
  masked: false,
  regrowth: true,
  unstructured: true
}

/**
 * Units are silenced and the shapes stay.
 *
 * @example
 * ```ts
 * import { PruningMode } from "homodistil/distill"
 * assert.equal(PruningMode.masked({ regrowth: true }).regrowth, true)
 * ```
 */
export const masked = (options: { readonly regrowth?: boolean } = {}): PruningMode => {
  const regrowth = options.regrowth ?? false
  return { spec: Spec.make("masked", { options: { regrowth } }), masked: true, regrowth }
}
