import { Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"
import { meanSquare } from "./meanSquare.ts"

/**
 * The mean squared error of the projected embedding output, MSE(E_s W_e, E_t) (a₃'s term of paper, §2); term `embedding`.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.embedding().terms, ["embedding"])
 * ```
 */
export const embedding = (): DistillationLoss => ({
  spec: Spec.make("embedding"),
  taps: ["embedding"],
  terms: ["embedding"],
  apply: ({ student, teacher, attention, projections }) =>
    term("embedding", meanSquare(projections.embedding(student.embedding), teacher.embedding, attention))
})
