import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"
import { overRelations, Relation, type RelationOptions } from "./relationDivergence.ts"

/**
 * KL(teacher ‖ student) of the attention distributions, softmax(Q Kᵀ/√d) of each head, in nats a head and position (MiniLM: Wang et
 * al. 2020, §3.1; paper, §7); term `attentionDistribution`.
 *
 * Throws `ConfigError` for an unknown option.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.attentionDistribution().spec.options, { layers: "last", reduce: "mean" })
 * ```
 */
export const attentionDistribution = (options: RelationOptions = {}): DistillationLoss => {
  const o = Options.decode("attentionDistribution", Relation, options)
  return {
    spec: Spec.make("attentionDistribution", { options: o }),
    taps: ["scores"],
    terms: ["attentionDistribution"],
    apply: ({ student, teacher, attention }) =>
      term("attentionDistribution", overRelations(student.scores, teacher.scores, o, attention))
  }
}
