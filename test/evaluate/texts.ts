import { type EncodedTask, encodeTask, tokenizerOfVocabulary } from "../../src/data/index.ts"
import { type ToyOptions, toyTask } from "../data/glue/tasks.ts"

const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 15 }, (_, i) => `w${i + 5}`)]

/** A tokenizer of the 20 pieces that the tiny model knows: reads `w5` … `w19`. */
export const tinyTokenizer = tokenizerOfVocabulary(vocabulary, (text) =>
  [...text.matchAll(/w(\d+)/g)].map((match) => Number(match[1]))
)

/** A toy task in the tiny model's pieces, in rows of at most 6. */
export const encodedToy = (options: ToyOptions = {}, longest = 6): EncodedTask =>
  encodeTask(toyTask(options), tinyTokenizer, longest)
