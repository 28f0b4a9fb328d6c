import { ops, tf } from "../backend/index.ts"
import * as Activation from "./Activation.ts"
import type { BertConfig } from "./BertConfig.ts"
import * as Dropout from "./Dropout.ts"
import { decoder, inLayer } from "./Parameters.ts"

/** Parameters as tensors, by Hugging Face's names. */
export type ParameterTensors = { readonly [name: string]: tf.Tensor }

/** A batch of token sequences, flattened: `ids` is [rows · length]. */
export interface TokenTensors {
  readonly rows: number
  readonly length: number
  readonly ids: tf.Tensor
  /** [rows, length], 1 for a token and 0 for padding; absent when nothing is padded. */
  readonly attention?: tf.Tensor
  /** [rows · length] segment numbers; absent when all are 0. */
  readonly types?: tf.Tensor
}

/** What a forward pass may do besides the plain thing. */
export interface ForwardOptions {
  readonly dropout?: Dropout.Dropout
  /** Each position sees only itself and those before it (the causal warm start of pre-training). */
  readonly causal?: boolean
  /** [hidden], 1 for a kept unit: layer normalisation then runs over the kept units only. */
  readonly keptHidden?: tf.Tensor
}

/** What a forward pass exposes: the taps of the distillation losses. */
export interface Outputs {
  /** The embedding output, [rows · length, hidden]. */
  readonly embedding: tf.Tensor
  /** The hidden states after each layer, [rows · length, hidden]. */
  readonly hidden: ReadonlyArray<tf.Tensor>
  /** The attention scores of each layer before masking and softmax, [rows, heads, length, length]. */
  readonly scores: ReadonlyArray<tf.Tensor>
  /** The values of each layer, [rows, heads, length, value width of a head]. */
  readonly values: ReadonlyArray<tf.Tensor>
}

/** The parameter of a name; a defect when it is missing. */
export const parameter = (parameters: ParameterTensors, name: string): tf.Tensor => {
  const tensor = parameters[name]
  if (tensor === undefined) throw new RangeError(`there is no parameter ${name}`)
  return tensor
}

/** Large enough to silence a score, small enough to stay harmless in float32. */
const silenced = -1e4

const normalise = (p: ParameterTensors, config: BertConfig, options: ForwardOptions, name: string, x: tf.Tensor) => {
  const [gamma, beta] = [parameter(p, `${name}.weight`), parameter(p, `${name}.bias`)]
  return options.keptHidden === undefined
    ? ops.layerNorm(x, gamma, beta, config.epsilon)
    : ops.maskedLayerNorm(x, gamma, beta, config.epsilon, options.keptHidden)
}

const dense = (p: ParameterTensors, name: string, x: tf.Tensor): tf.Tensor =>
  ops.linear(x, parameter(p, `${name}.weight`), parameter(p, `${name}.bias`))

const embed = (p: ParameterTensors, config: BertConfig, tokens: TokenTensors, options: ForwardOptions): tf.Tensor => {
  const { rows, length, ids, types } = tokens
  const width = config.hidden
  const words = tf.reshape(tf.gather(parameter(p, "bert.embeddings.word_embeddings.weight"), ids), [
    rows,
    length,
    width
  ])
  const table = parameter(p, "bert.embeddings.position_embeddings.weight")
  const positions = length === config.positions ? table : tf.slice(table, [0, 0], [length, width])
  const segments = parameter(p, "bert.embeddings.token_type_embeddings.weight")
  const placed = tf.add(words, positions)
  const typed =
    types === undefined
      ? tf.add(placed, tf.slice(segments, [0, 0], [1, width]))
      : tf.add(placed, tf.reshape(tf.gather(segments, types), [rows, length, width]))
  const x = normalise(p, config, options, "bert.embeddings.LayerNorm", tf.reshape(typed, [rows * length, width]))
  return Dropout.apply(x, options.dropout, Dropout.site("embedding"))
}

/** What is added to scores before the softmax: padding and, in the causal warm start, the future are silenced. */
const scoreBias = (tokens: TokenTensors, options: ForwardOptions): tf.Tensor | undefined => {
  const { rows, length, attention } = tokens
  const padding =
    attention === undefined ? undefined : tf.reshape(tf.mul(tf.sub(1, attention), silenced), [rows, 1, 1, length])
  if (options.causal !== true) return padding
  const future = tf.tensor(
    Float32Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? silenced : 0)),
    [1, 1, length, length]
  )
  return padding === undefined ? future : tf.add(padding, future)
}

const layer = (
  p: ParameterTensors,
  config: BertConfig,
  tokens: TokenTensors,
  options: ForwardOptions,
  bias: tf.Tensor | undefined,
  i: number,
  x: tf.Tensor
): { readonly hidden: tf.Tensor; readonly scores: tf.Tensor; readonly values: tf.Tensor } => {
  const { rows, length } = tokens
  const byHead = (t: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(t, [rows, length, config.heads, -1]), [0, 2, 1, 3])
  const project = (name: string): tf.Tensor => byHead(dense(p, inLayer(i, `attention.self.${name}`), x))
  const scores = ops.scaledProduct(project("query"), project("key"), config.scale)
  const biased = bias === undefined ? scores : tf.add(scores, bias)
  const values = project("value")
  const gathered =
    options.dropout === undefined || options.dropout.rates.attention === 0
      ? ops.attend(biased, values)
      : tf.matMul(Dropout.apply(tf.softmax(biased), options.dropout, Dropout.site("probabilities", i)), values)
  const context = tf.reshape(tf.transpose(gathered, [0, 2, 1, 3]), [rows * length, config.vo[i] ?? 0])
  const drop = (t: tf.Tensor, where: "attention" | "ffn") => Dropout.apply(t, options.dropout, Dropout.site(where, i))
  const attended = drop(dense(p, inLayer(i, "attention.output.dense"), context), "attention")
  const middle = normalise(p, config, options, inLayer(i, "attention.output.LayerNorm"), tf.add(attended, x))
  const inner = Activation.apply(dense(p, inLayer(i, "intermediate.dense"), middle), config.activation)
  const outer = drop(dense(p, inLayer(i, "output.dense"), inner), "ffn")
  return {
    hidden: normalise(p, config, options, inLayer(i, "output.LayerNorm"), tf.add(outer, middle)),
    scores,
    values
  }
}

/**
 * BERT's encoder with taps: embedding output, hidden states after each layer, attention scores before the softmax and values
 * (Devlin et al. 2019; post-LayerNorm, learned positions).
 */
export const encode = (
  parameters: ParameterTensors,
  config: BertConfig,
  tokens: TokenTensors,
  options: ForwardOptions = {}
): Outputs => {
  const embedding = embed(parameters, config, tokens, options)
  const bias = scoreBias(tokens, options)
  const hidden: Array<tf.Tensor> = []
  const scores: Array<tf.Tensor> = []
  const values: Array<tf.Tensor> = []
  let x = embedding
  for (let i = 0; i < config.layers; i++) {
    const made = layer(parameters, config, tokens, options, bias, i, x)
    hidden.push(made.hidden)
    scores.push(made.scores)
    values.push(made.values)
    x = made.hidden
  }
  return { embedding, hidden, scores, values }
}

/** The last hidden states of a forward pass. */
export const last = (outputs: Outputs): tf.Tensor => outputs.hidden.at(-1) ?? outputs.embedding

/**
 * The logits of the masked-language-model head at chosen positions.
 *
 * `states` is [rows · length, hidden], `positions` [n] indices into its rows; the result is [n, vocab]. A defect for a model without a
 * head (`BertConfig.head`).
 */
export const maskedLmLogits = (
  parameters: ParameterTensors,
  config: BertConfig,
  states: tf.Tensor,
  positions: tf.Tensor,
  options: ForwardOptions = {}
): tf.Tensor => {
  if (config.head === "none") throw new RangeError(headless)
  const chosen = tf.gather(states, positions)
  const transformed = Activation.apply(dense(parameters, "cls.predictions.transform.dense", chosen), config.activation)
  const normal = normalise(parameters, config, options, "cls.predictions.transform.LayerNorm", transformed)
  return ops.linear(
    normal,
    parameter(parameters, config.decoder === "untied" ? decoder : "bert.embeddings.word_embeddings.weight"),
    parameter(parameters, "cls.predictions.bias")
  )
}

const headless = "this BERT has no masked-language-model head: give it one first (Head.add), or use what needs none"

/**
 * A forward pass with the logits of the masked-language-model head at chosen positions beside its taps; asking for those of a model
 * without a head is a defect.
 */
export const withLogits = (
  parameters: ParameterTensors,
  config: BertConfig,
  outputs: Outputs,
  positions: tf.Tensor,
  options: ForwardOptions = {}
): Outputs & { readonly logits: tf.Tensor } =>
  config.head === "none"
    ? {
        ...outputs,
        get logits(): tf.Tensor {
          throw new RangeError(headless)
        }
      }
    : { ...outputs, logits: maskedLmLogits(parameters, config, last(outputs), positions, options) }
