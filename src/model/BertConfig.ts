import * as Schema from "effect/Schema"
import { type Activation, activations } from "./Activation.ts"
import * as Axis from "./Axis.ts"

/**
 * The dimensions of a BERT for masked language modelling; after pruning it is derived from the axes, never written by hand.
 */
export interface BertConfig {
  readonly vocabSize: number
  readonly positions: number
  readonly types: number
  readonly layers: number
  readonly heads: number
  /** The residual width. */
  readonly hidden: number
  /** The feed-forward width of each layer. */
  readonly ffn: ReadonlyArray<number>
  /** The query and key width of each layer, all heads together. */
  readonly qk: ReadonlyArray<number>
  /** The value width of each layer, all heads together. */
  readonly vo: ReadonlyArray<number>
  /** The factor on attention scores: the unpruned model's 1/√(head width), kept when `qk` is cut so that cutting a zero unit changes nothing. */
  readonly scale: number
  /** ε of layer normalisation. */
  readonly epsilon: number
  /** What stands between the two products of a feed-forward block and in the head; absent for the usual exact GELU. */
  readonly activation?: Activation
  /** Present where the head has a decoder of its own instead of the word embedding. */
  readonly decoder?: "untied"
  /** Present where there is no masked-language-model head: a bare encoder. */
  readonly head?: "none"
}

const widths = Schema.Array(Schema.Int)

/** A configuration as it stands in the files of homodistil's own. */
export const Encoded: Schema.Codec<BertConfig> = Schema.Struct({
  vocabSize: Schema.Int,
  positions: Schema.Int,
  types: Schema.Int,
  layers: Schema.Int,
  heads: Schema.Int,
  hidden: Schema.Int,
  ffn: widths,
  qk: widths,
  vo: widths,
  scale: Schema.Finite,
  epsilon: Schema.Finite,
  activation: Schema.optionalKey(Schema.Literals(activations)),
  decoder: Schema.optionalKey(Schema.Literal("untied")),
  head: Schema.optionalKey(Schema.Literal("none"))
})

/** The usual shape of a BERT: every layer alike, heads of hidden / heads. */
export const uniform = (o: {
  readonly vocabSize: number
  readonly positions: number
  readonly types?: number
  readonly layers: number
  readonly heads: number
  readonly hidden: number
  readonly ffn: number
}): BertConfig => {
  const each = (width: number): ReadonlyArray<number> => Array.from({ length: o.layers }, () => width)
  return {
    vocabSize: o.vocabSize,
    positions: o.positions,
    types: o.types ?? 2,
    layers: o.layers,
    heads: o.heads,
    hidden: o.hidden,
    ffn: each(o.ffn),
    qk: each(o.hidden),
    vo: each(o.hidden),
    scale: 1 / Math.sqrt(o.hidden / o.heads),
    epsilon: 1e-12
  }
}

/** The micro teacher: 4 layers of width 128 over 4,096 pieces and 64 positions. */
export const micro: BertConfig = uniform({ vocabSize: 4096, positions: 64, layers: 4, heads: 4, hidden: 128, ffn: 512 })

/**
 * The axes of a model of this shape.
 *
 * @example
 * ```ts
 * import { Axis, BertConfig } from "homodistil/model"
 * const axes = BertConfig.axes(BertConfig.micro)
 * assert.deepEqual(Axis.prunable(axes).slice(0, 4).map((a) => a.id), ["hidden", "layer.0.ffn", "layer.0.qk", "layer.0.vo"])
 * ```
 */
export const axes = (config: BertConfig): Axis.Axes => {
  const fixed = (id: string, size: number): Axis.Axis => ({ id, size, blocks: 1, prunable: false })
  const cut = (id: string, size: number, blocks: number): Axis.Axis => ({ id, size, blocks, prunable: true })
  const layers = Array.from({ length: config.layers }, (_, i) => [
    cut(Axis.ofLayer(i, "ffn"), config.ffn[i] ?? 0, 1),
    cut(Axis.ofLayer(i, "qk"), config.qk[i] ?? 0, config.heads),
    cut(Axis.ofLayer(i, "vo"), config.vo[i] ?? 0, config.heads)
  ])
  return Axis.of([
    fixed("vocab", config.vocabSize),
    fixed("position", config.positions),
    fixed("type", config.types),
    cut(Axis.hidden, config.hidden, 1),
    ...layers.flat()
  ])
}

/** The configuration whose widths are those of the axes. */
export const fromAxes = (config: BertConfig, axes: Axis.Axes): BertConfig => {
  const width = (kind: "ffn" | "qk" | "vo"): ReadonlyArray<number> =>
    Array.from({ length: config.layers }, (_, i) => Axis.get(axes, Axis.ofLayer(i, kind)).size)
  return {
    ...config,
    hidden: Axis.get(axes, Axis.hidden).size,
    ffn: width("ffn"),
    qk: width("qk"),
    vo: width("vo")
  }
}
