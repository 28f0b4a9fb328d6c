import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"

/**
 * The size of a weight, |w| (paper, §3): the baseline of Table 6. It remembers nothing.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.deepEqual(Scorer.magnitude().slots, [])
 * ```
 */
export const magnitude = (): ImportanceScorer =>
  define({ name: "magnitude", elementwise: true, score: (_, { param }) => tf.abs(param) })
