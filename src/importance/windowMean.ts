import * as Schema from "effect/Schema"
import { Options } from "../spec/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { mix } from "./mix.ts"
import { wrap } from "./wrap.ts"

/** The one option of a scorer averaged over windows: its length in steps, 10 unless given. */
export const Windowed = Schema.Struct({ window: Options.withDefault(Options.Count, 10) })

/** The length of a window in steps; 10 unless given. */
export type WindowOptions = typeof Windowed.Encoded

/**
 * The mean of a score over a running window that starts again every `window` steps: before it is full, the mean so far.
 *
 * With k = step mod window: mean ← mean + (score - mean) / (k + 1). Throws `ConfigError` unless the window is an integer of at least 1.
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * const scorer = Scorer.windowMean(4)(Scorer.sensitivity({ window: 1 }))
 * assert.deepEqual([0, 1, 3, 4].map((step) => scorer.scalars(step).windowRate), [1, 1 / 2, 1 / 4, 1])
 * ```
 */
export const windowMean =
  (window: number) =>
  (inner: ImportanceScorer): ImportanceScorer => {
    const o = Options.decode("windowMean", Windowed, { window })
    return wrap(inner, {
      name: "windowMean",
      options: o,
      slots: ["mean"],
      elementwise: true,
      scalarNames: ["windowRate"],
      scalars: (step) => ({ windowRate: 1 / ((step % o.window) + 1) }),
      update: ({ mean }, observed, { windowRate }) => ({ mean: mix(mean, observed, windowRate) }),
      score: ({ mean }) => mean,
      completes: (step) => (step + 1) % o.window === 0
    })
  }
