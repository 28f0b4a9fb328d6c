import * as Schema from "effect/Schema"
import { tf } from "../backend/index.ts"
import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, inSetting } from "./DistillationLoss.ts"

/**
 * A loss times a weight; the terms for the eye stay unweighted.
 *
 * Throws `ConfigError` when the weight is below 0 or not finite.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * import { Spec } from "homodistil/spec"
 * assert.equal(Spec.describe(Loss.scale(2, Loss.maskedLm()).spec), "scale(weight: 2, maskedLm)")
 * assert.throws(() => Loss.scale(-1, Loss.maskedLm()), /scale\.weight = -1/)
 * ```
 */
export const scale = (weight: number, loss: DistillationLoss): DistillationLoss => {
  const o = Options.decode("scale", Schema.Struct({ weight: Options.Weight }), { weight })
  return {
    ...loss,
    spec: Spec.make("scale", { options: o, parts: [loss.spec] }),
    inSetting: (setting) => scale(weight, inSetting(loss, setting)),
    apply: (input) => {
      const { total, terms } = loss.apply(input)
      return { total: tf.mul(total, o.weight), terms }
    }
  }
}
