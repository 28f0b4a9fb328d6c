import { basicParts, normalise, type TextRules } from "./wordpiece/BasicTokenizer.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/** A text as pieces: piece n is `ids[n]` and stands for the characters `from[n]` … `to[n]` of the text (UTF-16, as in `slice`). */
export interface TextPieces {
  readonly ids: ReadonlyArray<number>
  readonly from: ReadonlyArray<number>
  readonly to: ReadonlyArray<number>
}

/** The characters of a word after BERT's normaliser, each with where in the word it comes from. */
const folded = (
  word: string,
  rules: TextRules
): { readonly text: string; readonly from: Array<number>; readonly to: Array<number> } => {
  let text = ""
  const [from, to]: [Array<number>, Array<number>] = [[], []]
  let at = 0
  for (const character of word) {
    const next = at + character.length
    const plain = normalise(character, rules).trim()
    text += plain
    for (let i = 0; i < plain.length; i++) {
      from.push(at)
      to.push(next)
    }
    // an accent that follows its letter belongs to it
    if (plain === "" && to.length > 0) to[to.length - 1] = next
    at = next
  }
  return { text, from, to }
}

/**
 * Cuts a text into pieces that know where they come from.
 *
 * A piece stands for the characters it was made of; where that cannot be told (an unknown word), each piece of a word for the
 * whole word.
 *
 * @example
 * ```ts
 * import { textPieces, tokenizerOfVocabulary } from "homodistil/data"
 * const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s", "."]
 * const toy = tokenizerOfVocabulary(vocabulary, (word) => (word === "." ? [7] : [5, 6]))
 * const { ids, from, to } = textPieces(toy, " Cafés.")
 * assert.deepEqual([ids, from, to], [[5, 6, 7], [1, 5, 6], [5, 6, 7]])
 * ```
 */
export const textPieces = (tokenizer: Tokenizer, text: string): TextPieces => {
  const [ids, from, to]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
  for (const { 0: word, index } of text.matchAll(basicParts)) {
    const encoded = tokenizer.encode(word)
    const pieces = encoded.map((id) => (tokenizer.vocabulary[id] ?? "").replace(/^##/, ""))
    const plain = folded(word, tokenizer.text)
    const known = pieces.join("") === plain.text
    let at = 0
    encoded.forEach((id, i) => {
      const next = at + (pieces[i]?.length ?? 0)
      ids.push(id)
      from.push(index + (known ? (plain.from[at] ?? 0) : 0))
      to.push(index + (known ? (plain.to[next - 1] ?? 0) : word.length))
      at = next
    })
  }
  return { ids, from, to }
}

/**
 * The fewest pieces that cover the characters `from` … `to` of the text: the first and the last; none where no piece does.
 *
 * @example
 * ```ts
 * import { covering } from "homodistil/data"
 * assert.deepEqual(covering({ ids: [5, 6, 7], from: [0, 4, 8], to: [3, 7, 11] }, 5, 11), { first: 1, last: 2 })
 * ```
 */
export const covering = (
  pieces: TextPieces,
  from: number,
  to: number
): { readonly first: number; readonly last: number } | undefined => {
  const first = pieces.to.findIndex((end) => end > from)
  const last = pieces.from.findLastIndex((begin) => begin < to)
  return first < 0 || last < first ? undefined : { first, last }
}
