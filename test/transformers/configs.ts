import * as fc from "fast-check"

/** A BERT's sizes, how far its weights spread, and what is run on it: rows, padding, segments, and the seed of all random numbers. */
const sizes = fc
  .record({
    layers: fc.integer({ min: 1, max: 5 }),
    heads: fc.constantFrom(1, 2, 3, 4, 6),
    headWidth: fc.integer({ min: 1, max: 9 }),
    ffn: fc.integer({ min: 1, max: 40 }),
    vocabSize: fc.integer({ min: 6, max: 70 }),
    positions: fc.integer({ min: 1, max: 40 }),
    typeCount: fc.integer({ min: 1, max: 4 }),
    epsilon: fc.constantFrom(1e-12, 1e-7, 1e-5, 1e-2),
    std: fc.constantFrom(0.1, 0.3, 0.5),
    rows: fc.integer({ min: 1, max: 3 }),
    share: fc.constantFrom(0.2, 0.6, 1),
    mask: fc.constantFrom("none", "right", "left", "holes"),
    types: fc.boolean(),
    seed: fc.nat()
  })
  .map(({ headWidth, share, ...drawn }) => ({
    ...drawn,
    // fewer units than four leave layer normalisation little to divide by, and float32 no digits
    headWidth: drawn.heads * headWidth < 4 ? 4 : headWidth,
    length: Math.max(1, Math.round(share * drawn.positions))
  }))

/** The activations that are read, by Hugging Face's names, of which several are one function. */
const acts = [
  "gelu",
  "gelu_python",
  "gelu_new",
  "gelu_pytorch_tanh",
  "gelu_python_tanh",
  "gelu_accurate",
  "gelu_fast",
  "quick_gelu",
  "relu",
  "silu",
  "swish",
  "tanh"
]

/** Classes of `transformers` that a BERT is saved by; the first half with a masked-language-model head. */
const architectures = [
  "BertForMaskedLM",
  "BertForMaskedLM",
  "BertForPreTraining",
  "BertLMHeadModel",
  "BertModel",
  "BertForSequenceClassification",
  "BertForTokenClassification",
  "BertForQuestionAnswering"
]

/** A directory for `transformers` to write, and a batch to run. */
export const saved = fc
  .record({
    sizes,
    architecture: fc.constantFrom(...architectures),
    bare: fc.boolean(),
    act: fc.constantFrom(...acts),
    tied: fc.boolean(),
    equal: fc.boolean(),
    dtype: fc.constantFrom("float32", "float32", "float16", "bfloat16"),
    shard: fc.constantFrom("1GB", "1GB", "2KB", "9KB"),
    old: fc.boolean()
  })
  .map(({ sizes: drawn, architecture, bare, act, tied, ...how }) => {
    const { layers, heads, headWidth, ffn, vocabSize, positions, typeCount, epsilon, ...rest } = drawn
    const config = {
      vocab_size: vocabSize,
      hidden_size: heads * headWidth,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      intermediate_size: ffn,
      max_position_embeddings: positions,
      type_vocab_size: typeCount,
      layer_norm_eps: epsilon,
      hidden_act: act,
      tie_word_embeddings: tied
    }
    return { ...rest, ...how, config, architecture, bare: bare && architecture === "BertModel" }
  })

/** A model for homodistil to prune and write, and a batch to run; `cut` units of each head, and of each axis in proportion, are pruned. */
export const own = fc.record({
  sizes,
  cut: fc.constantFrom(0, 0, 1, 3),
  act: fc.constantFrom(undefined, "gelu_new", "quick_gelu", "relu", "silu", "tanh"),
  head: fc.constantFrom("none", "tied", "untied"),
  shard: fc.constantFrom("1GB", "3KB")
})
