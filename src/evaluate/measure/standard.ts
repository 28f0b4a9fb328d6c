import type { Measure } from "./Measure.ts"
import { curve, heldOut } from "./RunMeasures.ts"
import { span } from "./SpanMeasures.ts"
import { brown } from "./TaskMeasures.ts"

/**
 * What tables 3 to 6 and figure 3 measure alike, so that they share their cells: held-out loss, the discrepancy during the run,
 * Brown's three tasks, and span extraction.
 *
 * @example
 * ```ts
 * import { Measure } from "homodistil/evaluate"
 * assert.deepEqual(Measure.standard().map(({ spec }) => spec.name), ["heldOut", "discrepancyCurve", "brown", "span"])
 * ```
 */
export const standard = (): ReadonlyArray<Measure> => [heldOut(), curve(), brown(), span()]
