import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { overWindow } from "./overWindow.ts"
import type { WindowOptions } from "./windowMean.ts"

const ofStep = define({
  name: "sensitivity",
  slots: ["last"],
  elementwise: true,
  momentary: true,
  update: (_, { param, grad }) => ({ last: tf.abs(tf.mul(param, grad)) }),
  score: ({ last }) => last
})

/**
 * Sensitivity, |w ∂L/∂w|: how much the loss would change without the weight, to first order (paper, §3), averaged over the running
 * window; with a window of 1 it is the last step's, as in the paper.
 *
 * Throws `ConfigError` unless the window is an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * import { Spec } from "homodistil/spec"
 * assert.equal(Spec.describe(Scorer.sensitivity().spec), "sensitivity(window: 10)")
 * assert.throws(() => Scorer.sensitivity({ window: 0 }), /sensitivity\.window = 0/)
 * ```
 */
export const sensitivity = (options: WindowOptions = {}): ImportanceScorer => overWindow("sensitivity", options, ofStep)
