import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { overWindow } from "./overWindow.ts"
import type { WindowOptions } from "./windowMean.ts"

const ofStep = define({
  name: "fisher",
  slots: ["last"],
  elementwise: true,
  momentary: true,
  update: (_, { grad }) => ({ last: tf.square(grad) }),
  score: ({ last }) => last
})

/**
 * The diagonal of the empirical Fisher information, (∂L/∂w)², averaged over the running window.
 *
 * Throws `ConfigError` unless the window is an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.equal(Scorer.fisher({ window: 20 }).spec.options.window, 20)
 * ```
 */
export const fisher = (options: WindowOptions = {}): ImportanceScorer => overWindow("fisher", options, ofStep)
