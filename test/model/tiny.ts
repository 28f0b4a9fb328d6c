import { type HostTensor, Tensor } from "homodistil/backend"
import { BertConfig, Parameters, type ParameterValues, type Tokens } from "homodistil/model"
import { Seed } from "homodistil/spec"

/** Two layers of width 8 with two heads, over 20 pieces and 6 positions; every width is another number. */
export const config: BertConfig.BertConfig = {
  ...BertConfig.uniform({ vocabSize: 20, positions: 6, layers: 2, heads: 2, hidden: 8, ffn: 12 }),
  ffn: [12, 10],
  qk: [8, 4],
  vo: [6, 8]
}

/** Parameters that are all random, biases and normalisation weights too, so that none could be forgotten unnoticed. */
export const randomParameters = (seed: Seed.Seed, of = config, spread = 0.4): ParameterValues =>
  Object.fromEntries(
    Parameters.bert(of).map((spec) => {
      const shape = Parameters.shape(spec, BertConfig.axes(of))
      const draws = Seed.normals(Seed.child(seed, spec.name), Tensor.elements(shape))
      const centre = spec.name.endsWith("LayerNorm.weight") ? 1 : 0
      return [
        spec.name,
        Tensor.host(
          draws.map((z) => centre + spread * z),
          shape
        )
      ]
    })
  )

/** What a batch may hold besides its tokens. */
export interface With {
  readonly padding?: boolean
  readonly types?: boolean
}

/** A random batch of `rows` sequences of 6; with padding, each keeps its first 1 to 6 tokens. */
export const randomTokens = (seed: Seed.Seed, rows: number, o: With = {}, length = 6): Tokens.Tokens => {
  const kept = Seed.integers(Seed.child(seed, "kept"), rows, length)
  return {
    rows,
    length,
    ids: Seed.integers(Seed.child(seed, "ids"), rows * length, config.vocabSize),
    ...(o.padding === true
      ? {
          attention: Float32Array.from({ length: rows * length }, (_, t) =>
            t % length <= (kept[Math.floor(t / length)] ?? 0) ? 1 : 0
          )
        }
      : {}),
    ...(o.types === true ? { types: Seed.integers(Seed.child(seed, "types"), rows * length, 2) } : {})
  }
}

/** The whole batch's positions, as the head takes them. */
export const everywhere = (tokens: Tokens.Tokens): HostTensor =>
  Tensor.host(
    Array.from({ length: tokens.ids.length }, (_, i) => i),
    [tokens.ids.length],
    "int32"
  )
