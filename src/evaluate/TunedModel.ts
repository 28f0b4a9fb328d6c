import { type HostTensor, ops, Tensor, type TensorSpec, tf } from "../backend/index.ts"
import { Bert, type Model, type ParameterTensors, Pooler } from "../model/index.ts"
import { Seed } from "../spec/index.ts"

const headWeight = "classifier.weight"
const headBias = "classifier.bias"

/** Parameters by their names. */
export type TunedParameters = { readonly [name: string]: HostTensor }

/** A linear map from the hidden states with weights drawn with deviation 0.02. */
const drawn = (
  { weight, bias }: { readonly weight: string; readonly bias: string },
  outputs: number,
  hidden: number,
  seed: Seed.Seed
): TunedParameters => ({
  [weight]: Tensor.host(
    Seed.normals(Seed.child(seed, weight), outputs * hidden).map((z) => 0.02 * z),
    [outputs, hidden]
  ),
  [bias]: Tensor.host(new Float32Array(outputs))
})

/**
 * The parameters that are fine-tuned: the encoder's and those of a linear head with so many outputs, its weights drawn with
 * deviation 0.02; those of the masked-language-model head rest.
 */
export const start = (model: Model.Model, outputs: number, seed: Seed.Seed): TunedParameters => ({
  ...Object.fromEntries(Object.entries(model.parameters).filter(([name]) => !name.startsWith("cls."))),
  ...drawn({ weight: headWeight, bias: headBias }, outputs, model.config.hidden, seed)
})

/** As `start`, with BERT's pooler between the state of [CLS] and the head: the model's own, or drawn as the head is. */
export const startPooled = (model: Model.Model, outputs: number, seed: Seed.Seed): TunedParameters => {
  const { pooler: own } = model
  const { hidden } = model.config
  const { weight, bias } = Pooler
  const pooled = own === undefined ? drawn({ weight, bias }, hidden, hidden, seed) : Pooler.parameters(own)
  return { ...pooled, ...start(model, outputs, seed) }
}

/** By parameter, 1 for the weights that a sparse model keeps; nothing for a dense one. */
export type Kept = { readonly [name: string]: HostTensor }

/** What fine-tuning must leave at zero: the zeros of a sparse model's matrices. */
export const kept = ({ sparse, parameters }: Model.Model): Kept =>
  sparse === true
    ? Object.fromEntries(
        Object.entries(parameters).flatMap(([name, { shape, data }]) =>
          shape.length > 1 && data.includes(0)
            ? [
                [
                  name,
                  Tensor.host(
                    Float32Array.from(data, (weight) => (weight === 0 ? 0 : 1)),
                    shape
                  )
                ]
              ]
            : []
        )
      )
    : {}

/** What a step sees of a parameter: without the weights that are not kept. */
export const view =
  (masks: Kept) =>
  (name: string, param: tf.Tensor): tf.Tensor => {
    const mask = masks[name]
    return mask === undefined ? param : tf.mul(param, tf.tensor(mask.data, [...mask.shape]))
  }

/** Parameters as `view` shows them. */
export const restored = (params: TunedParameters, masks: Kept): TunedParameters =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      const mask = masks[name]
      return [
        name,
        mask === undefined ? value : { ...value, data: value.data.map((w, i) => (mask.data[i] === 0 ? 0 : w)) }
      ]
    })
  )

/** The signature of parameters. */
export const signature = (params: TunedParameters): { readonly [name: string]: TensorSpec } =>
  Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, Tensor.float(...shape)]))

/** The head's outputs for hidden states: [n, hidden] becomes [n, outputs]. */
export const head = (params: ParameterTensors, states: tf.Tensor): tf.Tensor =>
  ops.linear(states, Bert.parameter(params, headWeight), Bert.parameter(params, headBias))

/** BERT's pooler (Devlin et al. 2019): [n, hidden] becomes [n, hidden]. */
export const pooler = (params: ParameterTensors, states: tf.Tensor): tf.Tensor =>
  tf.tanh(ops.linear(states, Bert.parameter(params, Pooler.weight), Bert.parameter(params, Pooler.bias)))

/** Parameters whose head gives its outputs times `spread` and more by `centre`. */
export const scaledHead = (
  params: TunedParameters,
  { centre, spread }: { readonly centre: number; readonly spread: number }
): TunedParameters =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      name === headWeight
        ? { ...value, data: value.data.map((weight) => spread * weight) }
        : name === headBias
          ? { ...value, data: value.data.map((bias) => spread * bias + centre) }
          : value
    ])
  )
