import type { BrownFile } from "./Corpus.ts"
import type { Pieces } from "./PieceFile.ts"
import type { Tokenizer } from "./Tokenizer.ts"

/**
 * A file of the corpus as pieces.
 *
 * `ids` [pieces] holds the ids of its pieces, without special ones, in memory or in a file; `tags` [pieces] the class of the word's part
 * of speech on its first piece and -1 on the others; `sentences` the index of each sentence's first piece, and at
 * the end the number of pieces.
 */
export interface Document {
  readonly file: string
  readonly genre: number
  readonly ids: Pieces
  readonly tags: Int8Array
  readonly sentences: Int32Array
}

/** Documents in an order: an array, or a list that makes each of them when it is asked for. */
export interface Documents extends Iterable<Document> {
  readonly length: number
  readonly at: (index: number) => Document | undefined
}

/**
 * Turns a parsed file into pieces; a word of which the tokenizer leaves nothing is dropped.
 *
 * @example
 * ```ts
 * import { tokenizerOfVocabulary, parseBrown, tokenize } from "homodistil/data"
 * const toy = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b"], (word) => (word === "ab" ? [5, 6] : [5]))
 * const document = tokenize(parseBrown("ca01", "a/at ab/nn\nab/vb\n"), toy)
 * assert.deepEqual([...document.ids.subarray()], [5, 5, 6, 5, 6])
 * assert.deepEqual([...document.tags], [5, 0, -1, 1, -1])
 * assert.deepEqual([...document.sentences], [0, 3, 5])
 * ```
 */
export const tokenize = (file: BrownFile, tokenizer: Tokenizer): Document => {
  const ids: Array<number> = []
  const tags: Array<number> = []
  const sentences = [0]
  for (const sentence of file.sentences) {
    sentence.words.forEach((word, index) => {
      tokenizer.encode(word).forEach((id, piece) => {
        ids.push(id)
        tags.push(piece === 0 ? (sentence.tags[index] ?? -1) : -1)
      })
    })
    if (ids.length > (sentences.at(-1) ?? 0)) sentences.push(ids.length)
  }
  return {
    file: file.file,
    genre: file.genre,
    ids: Int32Array.from(ids),
    tags: Int8Array.from(tags),
    sentences: Int32Array.from(sentences)
  }
}

/** Where the words of a sentence begin in its document's pieces, and at the end where the sentence ends. */
export const wordBounds = (document: Document, sentence: number): ReadonlyArray<number> => {
  const end = document.sentences[sentence + 1] ?? 0
  const bounds: Array<number> = []
  for (let at = document.sentences[sentence] ?? 0; at < end; at++) if ((document.tags[at] ?? -1) >= 0) bounds.push(at)
  return [...bounds, end]
}
