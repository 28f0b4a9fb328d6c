import * as Schema from "effect/Schema"
import { Options } from "../spec/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"
import { mix } from "./mix.ts"
import { wrap } from "./wrap.ts"

/**
 * The exponential moving average of a score, from zero: average ← β average + (1 - β) score, wherever the score is whole.
 *
 * Throws `ConfigError` when β is outside [0, 1).
 *
 * @example
 * ```ts
 * import * as Scorer from "homodistil/importance"
 * import { Spec } from "homodistil/spec"
 * assert.equal(Spec.describe(Scorer.ema(0.9)(Scorer.gradient()).spec), "ema(beta: 0.9, gradient(window: 10))")
 * ```
 */
export const ema =
  (beta: number) =>
  (inner: ImportanceScorer): ImportanceScorer => {
    const o = Options.decode("ema", Schema.Struct({ beta: Options.Decay }), { beta })
    return wrap(inner, {
      name: "ema",
      options: o,
      slots: ["average"],
      elementwise: true,
      waits: true,
      scalarNames: ["averageRate"],
      scalars: (_, whole) => ({ averageRate: whole ? 1 - o.beta : 0 }),
      update: ({ average }, observed, { averageRate }) => ({ average: mix(average, observed, averageRate) }),
      score: ({ average }) => average
    })
  }
