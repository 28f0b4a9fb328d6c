import * as Schema from "effect/Schema"
import { ops, tf } from "../backend/index.ts"
import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"

const Kl = Schema.Struct({ temperature: Options.withDefault(Options.Positive, 1) })

/** T, which both distributions are softened by; 1 unless given. */
export type KlOptions = typeof Kl.Encoded

/**
 * KL(teacher ‖ student) of the predicted tokens, in nats, averaged over the masked positions (a₁'s term of paper, §2); term `kl`.
 *
 * With a temperature T, both logits are divided by T and the mean multiplied by T², so that gradients keep their size
 * (Hinton et al. 2015). Throws `ConfigError` when the temperature is not positive.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.equal(Loss.kl().spec.options.temperature, 1)
 * assert.throws(() => Loss.kl({ temperature: 0 }), /kl\.temperature = 0/)
 * ```
 */
export const kl = (options: KlOptions = {}): DistillationLoss => {
  const { temperature } = Options.decode("kl", Kl, options)
  const soften = (logits: tf.Tensor): tf.Tensor => (temperature === 1 ? logits : tf.mul(logits, 1 / temperature))
  return {
    spec: Spec.make("kl", { options: { temperature } }),
    taps: ["logits"],
    terms: ["kl"],
    apply: ({ student, teacher }) => {
      const mean = tf.mean(ops.klDivergence(soften(student.logits), soften(teacher.logits)))
      return term("kl", temperature === 1 ? mean : tf.mul(mean, temperature ** 2))
    }
  }
}
