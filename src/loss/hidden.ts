import * as Schema from "effect/Schema"
import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"
import { meanSquare } from "./meanSquare.ts"
import { overLayers, Reduce } from "./overLayers.ts"

const Hidden = Schema.Struct({ reduce: Reduce })

/** Whether layers are averaged (micro) or summed (paper); averaged unless given. */
export type HiddenOptions = typeof Hidden.Encoded

/**
 * The mean squared error of the projected hidden states after each layer, Σ_l MSE(H_s^l W, H_t^l) (a₂'s term of paper, §2); term `hidden`.
 *
 * Means run over tokens (padding aside) and the teacher's width. Throws `ConfigError` for an unknown `reduce`.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.equal(Loss.hidden().spec.options.reduce, "mean")
 * ```
 */
export const hidden = (options: HiddenOptions = {}): DistillationLoss => {
  const { reduce } = Options.decode("hidden", Hidden, options)
  return {
    spec: Spec.make("hidden", { options: { reduce } }),
    taps: ["hidden"],
    terms: ["hidden"],
    inSetting: (setting) => hidden({ reduce: setting.reduce, ...options }),
    apply: ({ student, teacher, attention, projections }) =>
      term(
        "hidden",
        overLayers(student.hidden, teacher.hidden, reduce, (states, target, layer) =>
          meanSquare(projections.hidden(states, layer), target, attention)
        )
      )
  }
}
