import { Spec } from "../../spec/index.ts"
import type { Tokenizer } from "../Tokenizer.ts"
import type { LabelledText, TextSplit, TextTask } from "./TextTask.ts"

/**
 * Texts as pieces, end to end: text n is `ids[offsets[n]]` … `ids[offsets[n + 1]]` (not included), special pieces among them.
 *
 * `seconds` says at which piece of a text its second part begins: at its length where there is none. `labels` are the numbers of classes,
 * or scores.
 */
export interface EncodedTexts {
  readonly name: string
  readonly count: number
  readonly offsets: Int32Array
  readonly ids: Int32Array
  readonly seconds: Int32Array
  readonly labels: Float64Array
  /** Texts that were longer than rows may be, and were cut. */
  readonly cut: number
}

/** A task as a model reads it. */
export interface EncodedTask {
  readonly spec: Spec.Spec
  readonly task: Omit<TextTask, "train" | "dev" | "spec">
  /** Pieces of the longest row there may be. */
  readonly longest: number
  readonly pad: number
  /** Pieces of the vocabulary. */
  readonly vocabulary: number
  readonly train: EncodedTexts
  readonly dev: ReadonlyArray<EncodedTexts>
}

/**
 * How many pieces of each part of a pair stay where both together may have `room`: what is too much is taken from the longer one, and
 * where both are cut they end up alike, as Hugging Face's tokenizers cut "longest first".
 *
 * @example
 * ```ts
 * import { longestFirst } from "homodistil/data"
 * assert.deepEqual(longestFirst(3, 9, 8), [3, 5])
 * assert.deepEqual(longestFirst(9, 8, 7), [4, 3])
 * ```
 */
export const longestFirst = (first: number, second: number, room: number): readonly [number, number] => {
  if (first + second <= room) return [first, second]
  const shorter = Math.min(first, second)
  // the odd piece goes to the longer part, to the second of two alike
  const [less, more] = 2 * shorter <= room ? [shorter, room - shorter] : [Math.floor(room / 2), Math.ceil(room / 2)]
  return first <= second ? [less, more] : [more, less]
}

/**
 * Encodes texts as BERT reads them: `[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`, of at most `longest` pieces.
 *
 * @example
 * ```ts
 * import { encodeTexts, tokenizerOfVocabulary } from "homodistil/data"
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], (text) =>
 *   text.split(" ").map((word) => (word === "a" ? 5 : 6))
 * )
 * const { ids, seconds, offsets } = encodeTexts(toy, "dev", [{ first: "a b", second: "b", label: 1 }], 8)
 * assert.deepEqual([...ids], [2, 5, 6, 3, 6, 3])
 * assert.deepEqual([[...seconds], [...offsets]], [[4], [0, 6]])
 * ```
 */
export const encodeTexts = (
  tokenizer: Tokenizer,
  name: string,
  texts: ReadonlyArray<LabelledText>,
  longest: number
): EncodedTexts => {
  const { cls, sep } = tokenizer.special
  const offsets = new Int32Array(texts.length + 1)
  const seconds = new Int32Array(texts.length)
  const ids: Array<number> = []
  let cut = 0
  texts.forEach(({ first, second }, n) => {
    const a = tokenizer.encode(first)
    const b = second === undefined ? [] : tokenizer.encode(second)
    const room = longest - (second === undefined ? 2 : 3)
    const [stay, staySecond] = longestFirst(a.length, b.length, room)
    if (stay < a.length || staySecond < b.length) cut++
    ids.push(cls, ...a.slice(0, stay), sep)
    seconds[n] = stay + 2
    if (second !== undefined) ids.push(...b.slice(0, staySecond), sep)
    offsets[n + 1] = ids.length
  })
  return {
    name,
    count: texts.length,
    offsets,
    ids: Int32Array.from(ids),
    seconds,
    labels: Float64Array.from(texts, ({ label }) => label),
    cut
  }
}

/** A task in the pieces of a tokenizer, in rows of at most `longest` pieces (at least 8). */
export const encodeTask = (whole: TextTask, tokenizer: Tokenizer, longest: number): EncodedTask => {
  const { spec, train, dev, ...task } = whole
  const of = ({ name, texts }: TextSplit) => encodeTexts(tokenizer, name, texts, longest)
  return {
    spec: Spec.make("textTask", { options: { longest }, parts: [spec, tokenizer.spec] }),
    task,
    longest,
    pad: tokenizer.special.pad,
    vocabulary: tokenizer.vocabulary.length,
    train: of(train),
    dev: dev.map(of)
  }
}
