import { type HostTensor, Tensor, type TensorSpec } from "../backend/index.ts"
import * as BertConfig from "./BertConfig.ts"
import * as Parameters from "./Parameters.ts"
import type { Pooler } from "./Pooler.ts"

/** A BERT with its weights on the host: what is evaluated, fine-tuned and written to disk. */
export interface Model {
  readonly config: BertConfig.BertConfig
  readonly parameters: Parameters.ParameterValues
  /** BERT's pooler, where the checkpoint that the model was read from has one; a student never has. */
  readonly pooler?: Pooler
  /** [hidden], 1 for a kept unit: present only where units are masked instead of cut. */
  readonly keptHidden?: HostTensor
  /** Present where single weights of matrices were zeroed: those are counted as gone. */
  readonly sparse?: true
}

/** The tensor specs of what a compiled text takes of a model. */
export type ModelSignature = {
  readonly parameters: { readonly [name: string]: TensorSpec }
  readonly kept: { readonly [name: string]: TensorSpec }
}

/** What a compiled text takes of a model: its parameters and, where units are masked, which hidden units are kept. */
export const inputs = (model: Model) => ({
  parameters: model.parameters,
  kept: model.keptHidden === undefined ? {} : { hidden: model.keptHidden }
})

/** The signature of `inputs`. */
export const signature = (model: Model): ModelSignature => ({
  parameters: Parameters.signature(Parameters.bert(model.config), BertConfig.axes(model.config)),
  kept: model.keptHidden === undefined ? {} : { hidden: Tensor.float(model.config.hidden) }
})

const nonZeros = ({ data }: HostTensor): number => {
  let numbers = 0
  for (const x of data) if (x !== 0) numbers++
  return numbers
}

/** How many numbers the model holds, without any pooler; masked units and, in a sparse model, zeros of matrices count as gone. */
export const size = (model: Model): number => {
  const tensors = Object.values(model.parameters)
  if (model.keptHidden !== undefined) return tensors.reduce((sum, tensor) => sum + nonZeros(tensor), 0)
  if (model.sparse !== true) return Parameters.count(Parameters.bert(model.config), BertConfig.axes(model.config))
  return tensors.reduce((sum, tensor) => sum + (tensor.shape.length > 1 ? nonZeros(tensor) : tensor.data.length), 0)
}
