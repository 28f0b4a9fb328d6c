import type { HostTensor } from "../backend/index.ts"
import type { BertConfig } from "./BertConfig.ts"
import type { ParameterValues } from "./Parameters.ts"

/**
 * BERT's pooler (Devlin et al. 2019): a dense layer, then tanh, on the state of [CLS], which Hugging Face's heads of whole texts read.
 *
 * It stands beside a model's parameters: no loss of distillation reaches it, and what it was trained to read are the hidden states of its
 * own model, which a pruned student's are not. So it belongs to a model whose encoder is as it was read, and to no other.
 */
export interface Pooler {
  /** [hidden, hidden]: outputs, inputs. */
  readonly weight: HostTensor
  /** [hidden] */
  readonly bias: HostTensor
}

/** Hugging Face's name of its weight. */
export const weight = "bert.pooler.dense.weight"

/** Hugging Face's name of its bias. */
export const bias = "bert.pooler.dense.bias"

/** The shapes of its parameters by their names, sorted. */
export const shapes = ({
  hidden
}: Pick<BertConfig, "hidden">): { readonly [name in typeof bias | typeof weight]: ReadonlyArray<number> } => ({
  [bias]: [hidden],
  [weight]: [hidden, hidden]
})

/** How many numbers it holds. */
export const count = ({ hidden }: Pick<BertConfig, "hidden">): number => hidden * hidden + hidden

/**
 * Its parameters by their names, sorted; none where there is no pooler.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { Pooler } from "homodistil/model"
 * const pooler = { weight: Tensor.host([1, 0, 0, 1], [2, 2]), bias: Tensor.host([0, 0]) }
 * assert.deepEqual(Object.keys(Pooler.parameters(pooler)), ["bert.pooler.dense.bias", "bert.pooler.dense.weight"])
 * assert.deepEqual(Pooler.of(Pooler.parameters(pooler)), pooler)
 * assert.deepEqual(Pooler.parameters(undefined), {})
 * ```
 */
export const parameters = (pooler: Pooler | undefined): ParameterValues =>
  pooler === undefined ? {} : { [bias]: pooler.bias, [weight]: pooler.weight }

/** The pooler among parameters by their names; nothing unless both its halves are there. */
export const of = (values: ParameterValues): Pooler | undefined => {
  const { [weight]: matrix, [bias]: vector } = values
  return matrix === undefined || vector === undefined ? undefined : { weight: matrix, bias: vector }
}
