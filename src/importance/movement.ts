import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"

/**
 * How far training has moved a weight away from zero, the sum of -w ∂L/∂w over the run; weights that moved towards zero score 0
 * (Sanh et al. 2020).
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.deepEqual(Scorer.movement().slots, ["moved"])
 * ```
 */
export const movement = (): ImportanceScorer =>
  define({
    name: "movement",
    slots: ["moved"],
    elementwise: true,
    update: ({ moved }, { param, grad }) => ({ moved: tf.sub(moved, tf.mul(param, grad)) }),
    score: ({ moved }) => tf.relu(moved)
  })
