import { canonical, type Json } from "../spec/index.ts"
import type { CellResult } from "./Cell.ts"
import * as KeptSpec from "./KeptSpec.ts"

/** A place where two values are not the same; `undefined` where one of them has nothing there. */
export interface Difference {
  readonly path: string
  readonly left: Json | undefined
  readonly right: Json | undefined
}

/** A measure of which two cells do not have the same value. */
export interface MeasureDifference {
  readonly measure: string
  readonly left: number | undefined
  readonly right: number | undefined
  /** Right minus left; `undefined` where one is missing. */
  readonly difference: number | undefined
}

/** What two cells do not have in common. */
export interface CellDiff {
  readonly spec: ReadonlyArray<Difference>
  /** Why the runs ended early, where they do not say the same. */
  readonly diverged: ReadonlyArray<Difference>
  readonly measures: ReadonlyArray<MeasureDifference>
  /** The first step from which on the curve, the path or the trajectory is not the same. */
  readonly steps: ReadonlyArray<{ readonly of: "curve" | "path" | "trajectory"; readonly from: number }>
  readonly provenance: ReadonlyArray<Difference>
}

const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : canonical(a) === canonical(b)

const union = (a: Iterable<string>, b: Iterable<string>): ReadonlyArray<string> => [...new Set([...a, ...b])].toSorted()

/**
 * The leaves that differ between two JSON values, by dotted path in order; what is equal is left out.
 *
 * @example
 * ```ts
 * import { CellDiff } from "homodistil/experiment"
 * const [seed] = CellDiff.ofJson({ plan: 1, seed: 0 }, { plan: 1, seed: 1 })
 * assert.deepEqual(seed, { path: "seed", left: 0, right: 1 })
 * ```
 */
export const ofJson = (left: Json, right: Json): ReadonlyArray<Difference> => {
  const [ours, theirs] = [KeptSpec.leaves(left), KeptSpec.leaves(right)]
  return union(ours.keys(), theirs.keys()).flatMap((path) => {
    const pair = { left: ours.get(path), right: theirs.get(path) }
    return same(pair.left, pair.right) ? [] : [{ path, ...pair }]
  })
}

const measures = (left: CellResult["measures"], right: CellResult["measures"]): ReadonlyArray<MeasureDifference> =>
  union(Object.keys(left), Object.keys(right)).flatMap((measure) => {
    const [a, b] = [left[measure], right[measure]]
    if (a === b) return []
    return [{ measure, left: a, right: b, difference: a === undefined || b === undefined ? undefined : b - a }]
  })

/** The step of the first entries that are not the same. */
const from = <A extends { readonly step: number } & { readonly [key: string]: Json }>(
  left: ReadonlyArray<A>,
  right: ReadonlyArray<A>
): number | undefined => {
  const at = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => i).find(
    (i) => !same(left[i], right[i])
  )
  if (at === undefined) return undefined
  return Math.min(left[at]?.step ?? Infinity, right[at]?.step ?? Infinity)
}

const optional = (path: string, left: string | undefined, right: string | undefined): ReadonlyArray<Difference> =>
  left === right ? [] : [{ path, left, right }]

/**
 * What differs between two finished cells: their specs, what was measured, and last where they came from.
 *
 * Empty for a cell and itself; with the cells the other way round, left and right are swapped and nothing else changes but the signs.
 */
export const of = (left: CellResult, right: CellResult): CellDiff => {
  const steps = [
    { of: "curve", from: from(left.curve, right.curve) },
    { of: "path", from: from(left.path, right.path) },
    { of: "trajectory", from: from(left.trajectory, right.trajectory) }
  ] as const
  return {
    spec: ofJson(KeptSpec.unfolded(left.spec), KeptSpec.unfolded(right.spec)),
    diverged: optional("diverged", left.diverged, right.diverged),
    measures: measures(left.measures, right.measures),
    steps: steps.flatMap(({ of, from }) => (from === undefined ? [] : [{ of, from }])),
    provenance: ofJson(left.provenance, right.provenance)
  }
}
