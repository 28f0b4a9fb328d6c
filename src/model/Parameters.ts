import { type HostTensor, Tensor, type TensorSpec } from "../backend/index.ts"
import { Seed } from "../spec/index.ts"
import * as Axis from "./Axis.ts"
import type { BertConfig } from "./BertConfig.ts"

/** A parameter is its axes: how it is cut, how its scores add up and what shape it has all follow from them. */
export interface ParameterSpec {
  /** Hugging Face's name. */
  readonly name: string
  readonly axes: ReadonlyArray<Axis.AxisId>
  /** The axis whose units it produces: a column of the paper (a row of a weight as Hugging Face keeps it). */
  readonly output: Axis.AxisId
}

/** Values of parameters on the host, by name. */
export type ParameterValues = { readonly [name: string]: HostTensor }

/** The name of the weight of a decoder that is not tied to the word embedding. */
export const decoder = "cls.predictions.decoder.weight"

/** The name of a layer's parameter under Hugging Face's scheme. */
export const inLayer = (layer: number, rest: string): string => `bert.encoder.layer.${layer}.${rest}`

/**
 * The parameters of a BERT for masked language modelling, sorted by name; the decoder is tied to the word embedding unless the
 * configuration says otherwise, and a model without a head has none of `cls.`.
 *
 * @example
 * ```ts
 * import { BertConfig, Parameters } from "homodistil/model"
 * const specs = Parameters.bert(BertConfig.micro)
 * assert.equal(specs.find((p) => p.name.endsWith("layer.1.attention.self.query.weight"))?.output, "layer.1.qk")
 * assert.equal(Parameters.count(specs, BertConfig.axes(BertConfig.micro)), 1_346_944)
 * ```
 */
export const bert = (config: BertConfig): ReadonlyArray<ParameterSpec> => {
  const vector = (name: string, axis: Axis.AxisId): ParameterSpec => ({ name, axes: [axis], output: axis })
  const norm = (name: string) => [vector(`${name}.weight`, Axis.hidden), vector(`${name}.bias`, Axis.hidden)]
  const dense = (name: string, output: Axis.AxisId, input: Axis.AxisId): ReadonlyArray<ParameterSpec> => [
    { name: `${name}.weight`, axes: [output, input], output },
    vector(`${name}.bias`, output)
  ]
  const table = (name: string, axis: Axis.AxisId): ParameterSpec => ({
    name: `bert.embeddings.${name}.weight`,
    axes: [axis, Axis.hidden],
    output: Axis.hidden
  })
  const layer = (i: number): ReadonlyArray<ParameterSpec> => {
    const [ffn, qk, vo] = [Axis.ofLayer(i, "ffn"), Axis.ofLayer(i, "qk"), Axis.ofLayer(i, "vo")]
    return [
      ...dense(inLayer(i, "attention.self.query"), qk, Axis.hidden),
      ...dense(inLayer(i, "attention.self.key"), qk, Axis.hidden),
      ...dense(inLayer(i, "attention.self.value"), vo, Axis.hidden),
      ...dense(inLayer(i, "attention.output.dense"), Axis.hidden, vo),
      ...norm(inLayer(i, "attention.output.LayerNorm")),
      ...dense(inLayer(i, "intermediate.dense"), ffn, Axis.hidden),
      ...dense(inLayer(i, "output.dense"), Axis.hidden, ffn),
      ...norm(inLayer(i, "output.LayerNorm"))
    ]
  }
  const head: ReadonlyArray<ParameterSpec> = [
    ...dense("cls.predictions.transform.dense", Axis.hidden, Axis.hidden),
    ...norm("cls.predictions.transform.LayerNorm"),
    vector("cls.predictions.bias", "vocab"),
    ...(config.decoder === "untied" ? [{ name: decoder, axes: ["vocab", Axis.hidden], output: "vocab" }] : [])
  ]
  return sorted([
    table("word_embeddings", "vocab"),
    table("position_embeddings", "position"),
    table("token_type_embeddings", "type"),
    ...norm("bert.embeddings.LayerNorm"),
    ...Array.from({ length: config.layers }, (_, i) => layer(i)).flat(),
    ...(config.head === "none" ? [] : head)
  ])
}

/** Specs in the order of their names. */
export const sorted = (specs: ReadonlyArray<ParameterSpec>): ReadonlyArray<ParameterSpec> =>
  [...specs].sort((a, b) => (a.name < b.name ? -1 : 1))

/** The shape a parameter has at the present sizes of the axes. */
export const shape = (spec: ParameterSpec, axes: Axis.Axes): ReadonlyArray<number> =>
  spec.axes.map((id) => Axis.get(axes, id).size)

/** The tensor specs of parameters, for compiling. */
export const signature = (
  specs: ReadonlyArray<ParameterSpec>,
  axes: Axis.Axes
): { readonly [name: string]: TensorSpec } =>
  Object.fromEntries(specs.map((spec) => [spec.name, Tensor.float(...shape(spec, axes))]))

/** How many numbers the parameters hold. */
export const count = (specs: ReadonlyArray<ParameterSpec>, axes: Axis.Axes): number =>
  specs.reduce((sum, spec) => sum + Tensor.elements(shape(spec, axes)), 0)

/** Where position embeddings start: as in BERT, or as sinusoids, which spare a small model the unigram plateau. */
export type PositionStart = "normal" | "sinusoidal"

const start = (
  spec: ParameterSpec,
  size: ReadonlyArray<number>,
  seed: Seed.Seed,
  positions: PositionStart
): HostTensor => {
  if (spec.name.endsWith("LayerNorm.weight")) return Tensor.host(new Float32Array(Tensor.elements(size)).fill(1), size)
  if (spec.axes.length === 1) return Tensor.host(new Float32Array(Tensor.elements(size)), size)
  if (spec.name.endsWith("position_embeddings.weight") && positions === "sinusoidal") return sinusoids(size)
  const draws = Seed.normals(Seed.child(seed, spec.name), Tensor.elements(size))
  return Tensor.host(
    draws.map((z) => 0.02 * z),
    size
  )
}

/** Sines in the first half of the width, cosines in the second, scaled to a root mean square of .02 (Vaswani et al. 2017, §3.5). */
const sinusoids = ([positions = 0, width = 0]: ReadonlyArray<number>): HostTensor => {
  const half = Math.ceil(width / 2)
  const at = (i: number): number => {
    const [position, unit] = [Math.floor(i / width), i % width]
    const angle = position * 10000 ** ((-2 * (unit % half)) / width)
    return 0.02 * Math.SQRT2 * (unit < half ? Math.sin(angle) : Math.cos(angle))
  }
  return Tensor.host(
    Float64Array.from({ length: positions * width }, (_, i) => at(i)),
    [positions, width]
  )
}

/** Random starting values as in BERT: normal(0, .02) weights, zero biases, unit LayerNorm weights. */
export const initialise = (
  specs: ReadonlyArray<ParameterSpec>,
  axes: Axis.Axes,
  seed: Seed.Seed,
  positions: PositionStart = "normal"
): ParameterValues =>
  Object.fromEntries(specs.map((spec) => [spec.name, start(spec, shape(spec, axes), seed, positions)]))
