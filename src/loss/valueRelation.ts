import { ops, type tf } from "../backend/index.ts"
import { Options, Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"
import { overRelations, Relation, type RelationOptions } from "./relationDivergence.ts"

/** V Vᵀ/√d of each head, d being the width that the head's values have: [rows, heads, length, length]. */
const relation = (values: tf.Tensor): tf.Tensor =>
  ops.scaledProduct(values, values, 1 / Math.sqrt(values.shape.at(-1) ?? 1))

/**
 * KL(teacher ‖ student) of the value relations, softmax(V Vᵀ/√d) of each head, in nats a head and position (MiniLM: Wang et al. 2020,
 * §3.2; paper, §7); term `valueRelation`.
 *
 * Student and teacher have as many heads; the widths of their values, d, may differ. Throws `ConfigError` for an unknown option.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.valueRelation({ layers: "all" }).taps, ["values"])
 * ```
 */
export const valueRelation = (options: RelationOptions = {}): DistillationLoss => {
  const o = Options.decode("valueRelation", Relation, options)
  return {
    spec: Spec.make("valueRelation", { options: o }),
    taps: ["values"],
    terms: ["valueRelation"],
    apply: ({ student, teacher, attention }) =>
      term("valueRelation", overRelations(student.values.map(relation), teacher.values.map(relation), o, attention))
  }
}
