/** How a word is cut by a vocabulary. */
export interface WordPieceRules {
  /** The id of what cannot be cut. */
  readonly unknown: number
  /** What marks a piece that does not begin its word. */
  readonly prefix: string
  /** The most characters of a word that is cut at all. */
  readonly longestWord: number
}

/**
 * Cuts a word from the left into the longest pieces there are; a word that cannot be cut to its end is one unknown piece
 * (Wu et al. 2016, as in Devlin et al. 2019).
 *
 * @example
 * ```ts
 * import { wordPiece } from "homodistil/data"
 * const pieces = new Map([["un", 5], ["##able", 6], ["##a", 7]])
 * const cut = wordPiece(pieces, { unknown: 1, prefix: "##", longestWord: 100 })
 * assert.deepEqual([cut("unable"), cut("una"), cut("under")], [[5, 6], [5, 7], [1]])
 * ```
 */
export const wordPiece = (
  pieces: ReadonlyMap<string, number>,
  rules: WordPieceRules
): ((word: string) => ReadonlyArray<number>) => {
  const { unknown, prefix, longestWord } = rules
  // only lengths that some piece has are tried: one very long piece costs no more than another
  const lengths = [...new Set([...pieces.keys()].map((piece) => piece.length))].sort((a, b) => b - a)
  return (word) => {
    // as many UTF-16 units are enough characters only where there are no more of these
    if (word.length > longestWord && Array.from(word).length > longestWord) return [unknown]
    const ids: Array<number> = []
    let from = 0
    while (from < word.length) {
      let to = from
      let id: number | undefined
      for (const length of lengths) {
        to = from === 0 ? length : from + length - prefix.length
        if (to <= from) break
        if (to > word.length) continue
        id = pieces.get(from === 0 ? word.slice(0, to) : prefix + word.slice(from, to))
        if (id !== undefined) break
      }
      if (id === undefined) return [unknown]
      ids.push(id)
      from = to
    }
    return ids
  }
}
