import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"

/**
 * Random scores from the run's seed and the step: the control that any scorer should beat.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.equal(Scorer.random().spec.name, "random")
 * ```
 */
export const random = (): ImportanceScorer => define({ name: "random", score: (_, { noise }) => noise() })
