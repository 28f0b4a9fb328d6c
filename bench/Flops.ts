import type { BertConfig } from "homodistil/model"

/** The batch that is counted: `masked` places of it get logits. */
export interface Batch {
  readonly rows: number
  readonly length: number
  readonly masked: number
}

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/**
 * Floating-point operations of a forward pass with the masked-language-model head: two for each multiplication and addition of the
 * matrix products; what is done element by element is not counted.
 */
export const forward = (config: BertConfig.BertConfig, { rows, length, masked }: Batch): number => {
  const tokens = rows * length
  const { hidden, vocabSize } = config
  const layers = Array.from({ length: config.layers }, (_, i) => {
    const [qk, vo, ffn] = [config.qk[i] ?? 0, config.vo[i] ?? 0, config.ffn[i] ?? 0]
    const dense = tokens * hidden * (2 * qk + 2 * vo + 2 * ffn)
    const attention = tokens * length * (qk + vo)
    return dense + attention
  })
  return 2 * (sum(layers) + masked * hidden * (hidden + vocabSize))
}

/** Operations of the products that bring the student's states to the teacher's width: the embedding output and each layer's. */
export const projections = (student: BertConfig.BertConfig, teacher: BertConfig.BertConfig, batch: Batch): number =>
  2 * (student.layers + 1) * batch.rows * batch.length * student.hidden * teacher.hidden

/** Operations of a step: forward, and twice as many backward. */
export const trainingStep = (config: BertConfig.BertConfig, batch: Batch): number => 3 * forward(config, batch)

/** Operations of a distillation step: the teacher's forward pass, the student's step, and its projections forward and backward. */
export const distillationStep = (
  teacher: BertConfig.BertConfig,
  student: BertConfig.BertConfig,
  batch: Batch
): number => forward(teacher, batch) + trainingStep(student, batch) + 3 * projections(student, teacher, batch)
