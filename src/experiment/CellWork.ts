import type * as CellCost from "./CellCost.ts"

/**
 * A cell's work, in the operations of a large matrix product that takes as long: what small products, work that is done element by element,
 * pruning and all else cost beyond their own operations is part of it.
 */
export interface CellWork {
  readonly stretches: ReadonlyArray<{ readonly from: number; readonly to: number; readonly each: number }>
  /** The measures that are taken after the last step. */
  readonly end: number
  readonly total: number
}

/** The share of the speed of a large matrix product at which a model of so many parameters is trained and run. */
const shares: ReadonlyArray<readonly [parameters: number, share: number]> = [
  [2e5, 0.17],
  [1.3e6, 0.5],
  [2e7, 0.6]
]

/**
 * The share of the speed of large matrix products at which a model of so many parameters is trained and run, by the logarithm between what was
 * measured: .17 for a micro student of 0.19 million, fine-tuned and probed; .5 for the micro teacher of 1.35 million, from what eight cells of a
 * group take less than eight alone (processor time, one thread, 105 GFLOP/s); .6 from twenty million on, rounded down from single steps of large
 * models (bench/README.md). Times are good to a factor of 2.
 *
 * @example
 * ```ts
 * import { CellWork } from "homodistil/experiment"
 * assert.deepEqual([1e4, 1.3e6, 1e9].map(CellWork.share), [0.17, 0.5, 0.6])
 * ```
 */
export const share = (parameters: number): number => {
  const above = shares.findIndex(([size]) => size >= parameters)
  const [large, high] = shares.at(above) ?? [1, 1]
  if (above <= 0) return high
  const [small, low] = shares[above - 1] ?? [1, 1]
  return low + ((high - low) * Math.log(parameters / small)) / Math.log(large / small)
}

/**
 * The work of each cell of a group: they share a teacher of so many parameters, and those that ask for it count equal parts of its work.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { DistillPlan, Method } from "homodistil/distill"
 * import { CellCost, CellWork } from "homodistil/experiment"
 * import { BertConfig } from "homodistil/model"
 * const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
 * const cost = CellCost.of(plan, BertConfig.micro)
 * const [alone] = CellWork.of([cost], 1_346_944)
 * const [one, other] = CellWork.of([cost, cost], 1_346_944)
 * assert.ok(one !== undefined && alone !== undefined && one.total < alone.total)
 * assert.deepEqual(one, other)
 * ```
 */
export const of = (costs: ReadonlyArray<CellCost.CellCost>, teacherParameters: number): ReadonlyArray<CellWork> => {
  const students = costs.filter(({ teacher }) => teacher > 0).length
  return costs.map(({ teacher, steps, stretches: all, end: last }) => {
    const lesson = teacher / Math.max(1, steps * students) / share(teacherParameters)
    const stretches = all.map(({ from, to, parameters, flops, measured }) => ({
      from,
      to,
      each: lesson + (flops + measured / Math.max(1, to - from)) / share(parameters)
    }))
    const end = last.flops / share(last.parameters)
    return { stretches, end, total: stretches.reduce((sum, { from, to, each }) => sum + (to - from) * each, end) }
  })
}

/** The part of a work that is done after so many steps; the measures at the end are done when the cell is. */
export const done = ({ stretches }: CellWork, step: number): number =>
  stretches.reduce((sum, { from, to, each }) => sum + Math.max(0, Math.min(step, to) - from) * each, 0)
