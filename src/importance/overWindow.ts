import { Options, Spec } from "../spec/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { Windowed, windowMean, type WindowOptions } from "./windowMean.ts"

/**
 * A score of single steps, averaged over a window and called by its own name; a window of 1 is the last step alone.
 *
 * Throws `ConfigError` unless the window is an integer of at least 1.
 */
export const overWindow = (name: string, options: WindowOptions, ofStep: ImportanceScorer): ImportanceScorer => {
  const { window } = Options.decode(name, Windowed, options)
  return {
    ...(window === 1 ? ofStep : windowMean(window)(ofStep)),
    spec: Spec.make(name, { version: ofStep.spec.version, options: { window } })
  }
}
