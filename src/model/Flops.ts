import type { BertConfig } from "./BertConfig.ts"

/** The batch that is counted: `masked` places of it get logits; 0 where none are computed. */
export interface Batch {
  readonly rows: number
  readonly length: number
  readonly masked: number
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/**
 * Floating-point operations of a forward pass with the masked-language-model head where there is one: two for each multiplication and addition of the
 * matrix products; what is done element by element is not counted.
 *
 * @example
 * ```ts
 * import { BertConfig, Flops } from "homodistil/model"
 * // two operations for each weight of a matrix and each token, and 8 % more for attention: 4 × 128 has 786,432 such weights
 * const flops = Flops.forward(BertConfig.micro, { rows: 16, length: 64, masked: 0 })
 * assert.equal(Math.round(flops / (2 * 786_432 * 16 * 64) * 100), 108)
 * ```
 */
export const forward = (config: BertConfig, { rows, length, masked }: Batch): number => {
  const tokens = rows * length
  const { hidden, vocabSize } = config
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const [qk, vo, ffn] = [config.qk[i] ?? 0, config.vo[i] ?? 0, config.ffn[i] ?? 0]
    const dense = tokens * hidden * (2 * qk + 2 * vo + 2 * ffn)
    const attention = tokens * length * (qk + vo)
    return dense + attention
  })
  return 2 * (sum(layers) + (config.head === "none" ? 0 : masked) * hidden * (hidden + vocabSize))
}

/** Operations of the products that bring `count` of the student's states to the teacher's width: the embedding output and each layer's unless given. */
export const projections = (
  student: BertConfig,
  teacher: BertConfig,
  batch: Batch,
  count: number = student.layers + 1
): number => 2 * count * batch.rows * batch.length * student.hidden * teacher.hidden

/** Operations of a step: forward, and twice as many backward. */
export const trainingStep = (config: BertConfig, batch: Batch): number => 3 * forward(config, batch)

/** Operations of a distillation step: the teacher's forward pass, the student's step, and its projections forward and backward. */
export const distillationStep = (teacher: BertConfig, student: BertConfig, batch: Batch): number =>
  forward(teacher, batch) + trainingStep(student, batch) + 3 * projections(student, teacher, batch)
