import { BertConfig } from "homodistil/model"

/** A model's shape, and the batch a training step of it takes. */
export interface Shape {
  readonly name: string
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly vocabulary: number
  readonly rows: number
  readonly length: number
}

const shape = (
  layers: number,
  hidden: number,
  heads: number,
  vocabulary: number,
  [rows, length]: readonly [number, number]
): Shape => ({ name: `${layers}x${hidden}`, layers, hidden, heads, vocabulary, rows, length })

/** The shapes there are, the smallest first. */
export const shapes: ReadonlyArray<Shape> = [
  shape(4, 128, 4, 4096, [32, 64]),
  shape(4, 256, 4, 4096, [32, 64]),
  shape(6, 384, 12, 30_522, [16, 128]),
  shape(12, 768, 12, 30_522, [8, 128])
]

/** The widths a student is measured at, as shares of its teacher's. */
export const widths = [1, 0.5, 0.25] as const

/** The configuration of a shape's model: the feed-forward block is four times as wide as the model. */
export const configOf = ({ layers, hidden, heads, vocabulary, length }: Shape): BertConfig.BertConfig =>
  BertConfig.uniform({ vocabSize: vocabulary, positions: length, layers, heads, hidden, ffn: 4 * hidden })

/** The configuration at a share of every axis; attention's scale is that of the narrow heads, as for a student that starts small. */
export const narrowed = (config: BertConfig.BertConfig, width: number): BertConfig.BertConfig => {
  const share = (n: number): number => Math.max(1, Math.round(width * n))
  const perHead = (n: number): number => config.heads * share(n / config.heads)
  const qk = config.qk.map(perHead)
  return {
    ...config,
    hidden: share(config.hidden),
    ffn: config.ffn.map(share),
    qk,
    vo: config.vo.map(perHead),
    scale: 1 / Math.sqrt((qk[0] ?? config.heads) / config.heads)
  }
}

/** How many of a row's pieces are masked: 15 % of what stands between [CLS] and [SEP]. */
export const maskedOf = (rows: number, length: number): number => rows * Math.round(0.15 * (length - 2))
