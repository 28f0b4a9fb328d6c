/** What an answer scores: 1 where it is right to the letter, and the harmonic mean of the precision and recall of its words. */
export interface SpanScore {
  /** 0 or 1. */
  readonly exact: number
  /** In [0, 1]. */
  readonly f1: number
}

// what Python's string.punctuation holds
const punctuation = /[!-/:-@[-`{-~]/g
const articles = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu

/** What Python's str.split() takes for white space: with the control characters that separate, without the byte order mark. */
const isSpace = (character: string): boolean =>
  character === "\u0085" || (character >= "\u001c" && character <= "\u001f") || /[^\S\ufeff]/.test(character)

/**
 * The words of an answer as SQuAD compares them: in lower case, without ASCII punctuation, without articles.
 *
 * @example
 * ```ts
 * import { SpanMetric } from "homodistil/evaluate"
 * assert.deepEqual(SpanMetric.words("The U.S.  an-other dog's"), ["us", "another", "dogs"])
 * ```
 */
export const words = (text: string): ReadonlyArray<string> =>
  text
    .toLowerCase()
    .replace(punctuation, "")
    .replace(articles, " ")
    .replace(/[^!-~]/gu, (character) => (isSpace(character) ? " " : character))
    .split(" ")
    .filter((word) => word !== "")

const one = (prediction: ReadonlyArray<string>, gold: ReadonlyArray<string>): SpanScore => {
  const exact = Number(prediction.join(" ") === gold.join(" "))
  // no answer agrees with no answer alone (SQuAD 2)
  if (prediction.length === 0 || gold.length === 0) return { exact, f1: exact }
  const left = new Map<string, number>()
  for (const word of gold) left.set(word, (left.get(word) ?? 0) + 1)
  let same = 0
  for (const word of prediction) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    same++
  }
  return { exact, f1: (2 * same) / (prediction.length + gold.length) }
}

/**
 * What a predicted answer scores against the right ones: the best of each number over them (Rajpurkar et al. 2016, §6.1).
 *
 * Right answers of no word do not count beside others; where none is left, the empty prediction is right, as for a question
 * that has no answer (Rajpurkar et al. 2018).
 *
 * @example
 * ```ts
 * import { SpanMetric } from "homodistil/evaluate"
 * assert.deepEqual(SpanMetric.score("the cat.", ["A cat", "cats"]), { exact: 1, f1: 1 })
 * assert.deepEqual(SpanMetric.score("black cat", ["cat"]), { exact: 0, f1: 2 / 3 })
 * assert.deepEqual(SpanMetric.score("", []), { exact: 1, f1: 1 })
 * ```
 */
export const score = (prediction: string, answers: ReadonlyArray<string>): SpanScore => {
  const golds = answers.map(words).filter((gold) => gold.length > 0)
  const predicted = words(prediction)
  const scores = (golds.length === 0 ? [[]] : golds).map((gold) => one(predicted, gold))
  return { exact: Math.max(...scores.map(({ exact }) => exact)), f1: Math.max(...scores.map(({ f1 }) => f1)) }
}

/** The mean scores of many predictions, each against the right answers of its question; NaN of none. */
export const mean = (predictions: ReadonlyArray<string>, answers: ReadonlyArray<ReadonlyArray<string>>): SpanScore => {
  const scores = predictions.map((prediction, i) => score(prediction, answers[i] ?? []))
  const of = (key: keyof SpanScore) => scores.reduce((sum, each) => sum + each[key], 0) / scores.length
  return { exact: of("exact"), f1: of("f1") }
}
