import * as Result from "effect/Result"
import type { HostTensor } from "../backend/index.ts"
import { BertConfig, Parameters, type ParameterValues } from "../model/index.ts"
import type { CheckpointProblem } from "./CheckpointError.ts"
import { usualScale } from "./HuggingFaceConfig.ts"

const words = "bert.embeddings.word_embeddings.weight"
const bias = "cls.predictions.bias"

/** Tensors of a BERT checkpoint that masked language modelling has no use for: the pooler, next-sentence prediction, a table of positions. */
export const isUnused = (name: string): boolean =>
  /^(bert\.)?pooler\.|^cls\.seq_relationship\.|^bert\.embeddings\.position_ids$/.test(name)

/** The present name of a parameter: layer normalisation once called its weight gamma and its bias beta. */
const presentName = (name: string): string =>
  name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias")

/** Names under which checkpoints repeat a tied parameter. */
const copies: { readonly [copy: string]: string } = {
  "cls.predictions.decoder.weight": words,
  "cls.predictions.decoder.bias": bias
}

const same = (a: HostTensor, b: HostTensor): boolean =>
  a.data.length === b.data.length && a.data.every((x, i) => Object.is(x, b.data[i]))

/**
 * The parameters of a BERT of this shape among the tensors of a checkpoint, old names made new and copies of tied ones dropped.
 *
 * Fails with every problem at once: a parameter that is missing, has another shape or element type, or that no such BERT has,
 * and a decoder that is not tied to the word embedding.
 */
export const fromTensors = (
  tensors: ParameterValues,
  config: BertConfig.BertConfig
): Result.Result<ParameterValues, ReadonlyArray<CheckpointProblem>> => {
  const problems: Array<CheckpointProblem> = []
  const found = new Map<string, HostTensor>()
  for (const [name, tensor] of Object.entries(tensors)) {
    const present = presentName(name)
    const tied = Object.hasOwn(copies, name) ? copies[name] : undefined
    const original = tied === undefined ? undefined : tensors[tied]
    if (tied === undefined && found.has(present))
      problems.push({ tensor: name, reason: `is there twice, also as ${present}` })
    else if (tied === undefined || original === undefined) found.set(tied ?? present, tensor)
    else if (!same(tensor, original))
      problems.push({ tensor: name, reason: `differs from ${tied}, which it is tied to` })
  }
  const axes = BertConfig.axes(config)
  const specs = Parameters.bert(config)
  const parameters = specs.flatMap((spec): ReadonlyArray<readonly [string, HostTensor]> => {
    const tensor = found.get(spec.name)
    const shape = Parameters.shape(spec, axes)
    const reason = tensor === undefined ? "is missing" : misfit(tensor, shape)
    found.delete(spec.name)
    if (tensor !== undefined && reason === undefined) return [[spec.name, tensor]]
    problems.push({ tensor: spec.name, reason: reason ?? "is missing" })
    return []
  })
  for (const name of found.keys()) problems.push({ tensor: name, reason: "is no parameter of this model" })
  return problems.length > 0 ? Result.fail(problems) : Result.succeed(Object.fromEntries(parameters))
}

const misfit = ({ shape, dtype }: HostTensor, wanted: ReadonlyArray<number>): string | undefined => {
  if (dtype !== "float32") return "holds integers, not float32"
  const [got, expected] = [`[${shape.join(", ")}]`, `[${wanted.join(", ")}]`]
  return got === expected ? undefined : `has shape ${got}, but config.json makes it ${expected}`
}

/** A BERT's shape and weights. */
export interface Weights {
  readonly config: BertConfig.BertConfig
  readonly parameters: ParameterValues
}

/**
 * The same function with Hugging Face's own factor on attention scores: queries take up what the factor loses.
 *
 * After pruning, the factor is still the unpruned model's, which Hugging Face's code does not read; a pruned student that other
 * programs shall run is written in this form. Equal but for rounding (a relative 1e-7 of the queries).
 *
 * @example
 * ```ts
 * import { HuggingFaceWeights } from "homodistil/checkpoint"
 * import { BertConfig, Parameters } from "homodistil/model"
 * import { Seed } from "homodistil/spec"
 * const config = { ...BertConfig.uniform({ vocabSize: 8, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 }), scale: 0.25 }
 * const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
 * const usual = HuggingFaceWeights.withUsualScale({ config, parameters })
 * const name = "bert.encoder.layer.0.attention.self.query.weight"
 * assert.equal(usual.config.scale, 0.5)
 * assert.equal(usual.parameters[name]?.data[0], (parameters[name]?.data[0] ?? 0) / 2)
 * ```
 */
export const withUsualScale = ({ config, parameters }: Weights): Weights => {
  const scale = usualScale(config)
  const factor = config.scale / scale
  const scaled = ([name, tensor]: readonly [string, HostTensor]): readonly [string, HostTensor] =>
    /\.attention\.self\.query\.(weight|bias)$/.test(name)
      ? [name, { ...tensor, data: tensor.data.map((x) => factor * x) }]
      : [name, tensor]
  return { config: { ...config, scale }, parameters: Object.fromEntries(Object.entries(parameters).map(scaled)) }
}
