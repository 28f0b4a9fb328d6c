import { type HostTensor, ops, Tensor, type TensorSpec, type tf } from "../backend/index.ts"
import { Seed } from "../spec/index.ts"
import type { BertConfig } from "./BertConfig.ts"

/** The rates of dropout: on embeddings and the outputs of sub-layers, and on attention probabilities. */
export interface DropoutRates {
  readonly hidden: number
  readonly attention: number
}

/** No dropout: the default while distilling. */
export const none: DropoutRates = { hidden: 0, attention: 0 }

/** The draws of every site where something is dropped, by the site's name. */
export type Draws<T> = { readonly [site: string]: { readonly rows: T; readonly columns: T } }

/** What a forward pass with dropout takes. */
export interface Dropout {
  readonly rates: DropoutRates
  readonly draws: Draws<tf.Tensor>
}

interface Site {
  readonly name: string
  readonly rows: number
  readonly columns: number
}

/** The name of a site: the embedding, or a layer's attention probabilities, attention output or feed-forward output. */
export const site = (where: "embedding" | "probabilities" | "attention" | "ffn", layer = 0): string =>
  where === "embedding" ? where : `layer.${layer}.${where}`

const sites = (config: BertConfig, rates: DropoutRates, rows: number, length: number): ReadonlyArray<Site> => {
  const tokens = { rows: rows * length, columns: config.hidden }
  const layer = (i: number): ReadonlyArray<Site> => [
    ...(rates.attention > 0
      ? [{ name: site("probabilities", i), rows: rows * config.heads * length, columns: length }]
      : []),
    ...(rates.hidden > 0
      ? [
          { name: site("attention", i), ...tokens },
          { name: site("ffn", i), ...tokens }
        ]
      : [])
  ]
  return [
    ...(rates.hidden > 0 ? [{ name: site("embedding"), ...tokens }] : []),
    ...Array.from({ length: config.layers }, (_, i) => layer(i)).flat()
  ]
}

/** The tensor specs of the draws for a batch of `rows` sequences of `length`; empty without dropout. */
export const signature = (config: BertConfig, rates: DropoutRates, rows: number, length: number): Draws<TensorSpec> =>
  Object.fromEntries(
    sites(config, rates, rows, length).map((s) => [
      s.name,
      { rows: Tensor.float(s.rows, 2), columns: Tensor.float(2, s.columns) }
    ])
  )

/** The draws of one step, a function of the seed alone. */
export const draw = (
  config: BertConfig,
  rates: DropoutRates,
  rows: number,
  length: number,
  seed: Seed.Seed
): Draws<HostTensor> =>
  Object.fromEntries(
    sites(config, rates, rows, length).map((s) => {
      const values = Seed.integers(Seed.child(seed, s.name), 2 * (s.rows + s.columns), ops.dropoutModulus)
      return [
        s.name,
        {
          rows: Tensor.host(values.subarray(0, 2 * s.rows), [s.rows, 2]),
          columns: Tensor.host(values.subarray(2 * s.rows), [2, s.columns])
        }
      ]
    })
  )

/** Drops entries of `x` at a site, where there is dropout at all. */
export const apply = (x: tf.Tensor, dropout: Dropout | undefined, name: string): tf.Tensor => {
  const draws = dropout?.draws[name]
  if (dropout === undefined || draws === undefined) return x
  return ops.dropout(x, name.endsWith("probabilities") ? dropout.rates.attention : dropout.rates.hidden, draws)
}
