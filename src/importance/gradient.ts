import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { overWindow } from "./overWindow.ts"
import type { WindowOptions } from "./windowMean.ts"

const ofStep = define({
  name: "gradient",
  slots: ["last"],
  elementwise: true,
  momentary: true,
  update: (_, { grad }) => ({ last: tf.abs(grad) }),
  score: ({ last }) => last
})

/**
 * The size of a weight's gradient, |∂L/∂w|, averaged over the running window (of 1: the last step).
 *
 * Throws `ConfigError` unless the window is an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.deepEqual(Scorer.gradient({ window: 1 }).slots, ["last"])
 * ```
 */
export const gradient = (options: WindowOptions = {}): ImportanceScorer => overWindow("gradient", options, ofStep)
