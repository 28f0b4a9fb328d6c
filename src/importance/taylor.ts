import { tf } from "../backend/index.ts"
import { define } from "./define.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { overWindow } from "./overWindow.ts"
import type { WindowOptions } from "./windowMean.ts"

/** The signed change of the loss; the sign is lost only after averaging. */
const ofStep = define({
  name: "taylor",
  slots: ["last"],
  elementwise: true,
  momentary: true,
  update: (_, { param, grad }) => ({ last: tf.mul(param, grad) }),
  score: ({ last }) => last
})

/**
 * The squared first-order change of the loss, (mean of w ∂L/∂w)², its sign kept while the running window is averaged
 * (Molchanov et al. 2019).
 *
 * Throws `ConfigError` unless the window is an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * assert.equal(Scorer.taylor().spec.options.window, 10)
 * ```
 */
export const taylor = (options: WindowOptions = {}): ImportanceScorer => {
  const signed = overWindow("taylor", options, ofStep)
  return { ...signed, score: (slots, input) => tf.square(signed.score(slots, input)) }
}
