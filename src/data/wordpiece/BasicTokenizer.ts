import { accents, chinese, decomposable, ideographs, punctuation, removed } from "./BertCharacters.ts"

/** What BERT's basic tokenizer does to a text before it cuts it. */
export interface TextRules {
  /** Leaves out control characters, and makes all white space blanks. */
  readonly cleanText: boolean
  /** Takes Chinese characters apart from each other. */
  readonly chineseCharacters: boolean
  /** Leaves out accents. */
  readonly stripAccents: boolean
  readonly lowerCase: boolean
}

/** The rules of an uncased BERT. */
export const uncased: TextRules = { cleanText: true, chineseCharacters: true, stripAccents: true, lowerCase: true }

/**
 * A text as the vocabulary spells it: without control characters, accents and capitals, as far as the rules ask for it.
 *
 * Equal to the BertNormalizer of the Hugging Face tokenizers on every text. Lone surrogates, which no UTF-8 text has, count as U+FFFD.
 *
 * @example
 * ```ts
 * import { normalise, uncased } from "homodistil/data"
 * assert.equal(normalise("Ça\u00ADva\tΟΔΟΣ 東京", uncased), "cava οδοσ  東  京 ")
 * assert.equal(normalise("Ça va", { ...uncased, lowerCase: false, stripAccents: false }), "Ça va")
 * ```
 */
export const normalise = (text: string, rules: TextRules): string => {
  let plain = text.toWellFormed()
  if (rules.cleanText) plain = plain.replace(removed, "").replace(/\p{White_Space}/gu, " ")
  if (rules.chineseCharacters) plain = plain.replace(ideographs, " $& ")
  if (rules.stripAccents) plain = plain.replace(decomposable, (part) => part.normalize("NFD")).replace(accents, "")
  // each sigma alone: the tokenizers do not look whether it ends its word
  return rules.lowerCase ? plain.replaceAll("Σ", "σ").toLowerCase() : plain
}

const words = new RegExp(`[${punctuation}]|[^\\p{White_Space}${punctuation}]+`, "gu")

/**
 * The words of a text after `normalise`: what stands between white space, and each punctuation mark alone.
 *
 * @example
 * ```ts
 * import { basicWords } from "homodistil/data"
 * assert.deepEqual(basicWords("don't  stop."), ["don", "'", "t", "stop", "."])
 * ```
 */
export const basicWords = (text: string): ReadonlyArray<string> => text.match(words) ?? []

/** What white space is to the rules: where a text can be cut before `normalise` and still gives the same words. */
export const spaceOf = (rules: TextRules): RegExp => (rules.cleanText ? /[\t\n\r\p{Z}]+/u : /\p{White_Space}+/u)

/**
 * The parts of a text as it is written whose words the tokenizer cuts apart in any case, so that each can be encoded alone: a punctuation
 * mark, a Chinese character, or what stands between these and white space.
 */
export const basicParts = new RegExp(`[${punctuation}${chinese}]|[^\\t\\n\\r\\p{Z}${punctuation}${chinese}]+`, "gu")
