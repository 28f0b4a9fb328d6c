import { ops, tf } from "../backend/index.ts"
import { Spec } from "../spec/index.ts"
import { type DistillationLoss, term } from "./DistillationLoss.ts"

/**
 * The masked-language-model loss: the mean cross-entropy, in nats, of the masked tokens (L_MLM of paper, §2); term `mlm`.
 *
 * It alone looks at the labels and not at the teacher.
 *
 * @example
 * ```ts
 * import * as Loss from "homodistil/loss"
 * assert.deepEqual(Loss.maskedLm().taps, ["logits"])
 * ```
 */
export const maskedLm = (): DistillationLoss => ({
  spec: Spec.make("maskedLm"),
  taps: ["logits"],
  terms: ["mlm"],
  teacherFree: true,
  apply: ({ student, labels }) => term("mlm", tf.mean(ops.crossEntropy(student.logits, labels)))
})
