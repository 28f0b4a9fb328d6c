/** One point of the prediction discrepancy during a run: KL(teacher ‖ student) on fixed held-out batches after so many steps. */
export interface CurvePoint {
  /** Steps done. */
  readonly step: number
  /** Nats a masked token. */
  readonly discrepancy: number
}

/** The curve of a run, steps rising; the first point is the student before any training. */
export type DiscrepancyCurve = ReadonlyArray<CurvePoint>

const last = (curve: DiscrepancyCurve): CurvePoint => {
  const point = curve.at(-1)
  if (point === undefined) throw new RangeError("a discrepancy curve needs at least one point")
  return point
}

/** The discrepancy at the end of the run. */
export const final = (curve: DiscrepancyCurve): number => last(curve).discrepancy

/** The largest discrepancy after the start, which tells the initialisation rather than the method; the only point's where there is one. */
export const peak = (curve: DiscrepancyCurve): number =>
  curve.length === 1 ? final(curve) : Math.max(...curve.slice(1).map((point) => point.discrepancy))

/**
 * The area under the curve as a mean over the steps, in nats: each point stands for the steps since the one before it.
 *
 * The start, before any training, has no steps behind it and does not count; a lone point is its own mean.
 *
 * @example
 * ```ts
 * import { DiscrepancyCurve } from "homodistil/evaluate"
 * const curve = [{ step: 0, discrepancy: 9 }, { step: 10, discrepancy: 2 }, { step: 40, discrepancy: 1 }]
 * assert.equal(DiscrepancyCurve.area(curve), (10 * 2 + 30 * 1) / 40)
 * assert.deepEqual([DiscrepancyCurve.peak(curve), DiscrepancyCurve.final(curve)], [2, 1])
 * ```
 */
export const area = (curve: DiscrepancyCurve): number => {
  const steps = last(curve).step - (curve[0]?.step ?? 0)
  if (steps === 0) return final(curve)
  const sum = curve.reduce(
    (all, point, i) => all + point.discrepancy * (point.step - (curve[i - 1]?.step ?? point.step)),
    0
  )
  return sum / steps
}
