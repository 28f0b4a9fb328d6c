import { type Dataset, trainingBatches } from "../data/index.ts"
import type { Pretraining } from "../distill/index.ts"
import { BertConfig } from "../model/index.ts"
import { adamW } from "../optimizer/index.ts"
import { Schedule } from "../schedule/index.ts"
import { Seed } from "../spec/index.ts"

/** What may be chosen about a teacher. */
export interface RecipeOptions {
  readonly steps: number
  readonly seed: number
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly causalShare: number
  readonly maskRate: number
  /** Dropout of hidden states; attention has none. */
  readonly dropout: number
  /** The highest learning rate. */
  readonly learningRate: number
  /** Rows of a batch. */
  readonly batch: number
  /** Steps between two evaluations. */
  readonly every: number
}

/** The recipe of the teacher that comes with homodistil. */
export const micro: RecipeOptions = {
  steps: 12_000,
  seed: 0,
  layers: 4,
  hidden: 128,
  heads: 4,
  causalShare: 0.28,
  maskRate: 0.25,
  dropout: 0.05,
  learningRate: 1e-3,
  batch: 16,
  every: 1000
}

/** Pieces of a row, and positions of a teacher. */
export const length = 64

/** The pre-training of a recipe: a causal warm start, sinusoidal positions, AdamW (β₂ .999), and a learning rate that falls to 1 % of its peak. Throws `ConfigError`. */
export const make = (o: RecipeOptions, dataset: Dataset): Pretraining.PretrainingOptions => {
  const { layers, hidden, heads, steps } = o
  const vocabSize = dataset.vocabulary.length
  return {
    config: BertConfig.uniform({ vocabSize, positions: length, layers, heads, hidden, ffn: 4 * hidden }),
    steps,
    causalShare: o.causalShare,
    dropout: { hidden: o.dropout, attention: 0 },
    optimizer: adamW({ beta2: 0.999 }),
    learningRate: Schedule.linearDecayToFloor({ peak: o.learningRate, steps }),
    positions: "sinusoidal",
    seed: Seed.make(o.seed),
    batches: trainingBatches(dataset, { rows: o.batch, length, maskRate: o.maskRate }),
    every: o.every
  }
}
