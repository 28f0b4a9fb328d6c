import { ConfigError, Seed, Spec } from "../../spec/index.ts"
import { type Document, wordBounds } from "../Document.ts"
import { attentionOf } from "../Masking.ts"
import { refuseCount, type Task } from "../Task.ts"
import { tagClass } from "../UniversalTag.ts"

/** The fewest words a sentence must have that may move. */
const fewestWords = 6

/** A sentence as the places of its words in the document: `bounds[w]` is the first piece of word w, and at the end where the sentence ends. */
interface Place {
  readonly document: Document
  readonly bounds: ReadonlyArray<number>
  /** The words that may move: not the first, not the last, no punctuation. */
  readonly movable: ReadonlyArray<number>
}

/**
 * Word order: is this the sentence as it was written (class 1), or were its words moved (class 0)?
 *
 * Every sentence comes twice, in two rows that follow each other: as it stands, and with its words moved within
 * windows of `window` words, so that no word stays in its place (2: each word is swapped with its neighbour; the whole
 * sentence unless given). The first and the last word, all punctuation, and a word left over alone in the last window
 * do stay. Both rows have the same pieces, the same length and the same edges, so whatever does not look at the order
 * of words is right exactly half the time. Sentences with fewer than 6 words that may move, or longer than a row, are
 * left out. Throws `ConfigError` for a window below 2.
 *
 * @example
 * ```ts
 * import { wordOrder } from "homodistil/data"
 * assert.deepEqual(wordOrder({ window: 4 }).spec.options, { window: 4 })
 * assert.deepEqual(wordOrder().classes, ["moved", "as written"])
 * ```
 */
export const wordOrder = (options: { readonly window?: number } = {}): Task => {
  const { window } = options
  if (window !== undefined && !(Number.isInteger(window) && window >= 2)) {
    const remedy = "give 2 to swap neighbours, or leave it out to move words within the whole sentence"
    throw new ConfigError({
      problems: [{ key: "window", value: String(window), bound: "a whole number of at least 2", remedy }]
    })
  }
  return {
    spec: Spec.make("wordOrder", { options: { window: window ?? "sentence" } }),
    kind: "sequence",
    classes: ["moved", "as written"],
    examples: (dataset, sampling) => {
      const { count, length, seed, split } = sampling
      const places = [...dataset.documents[split]].flatMap((document) => sentencesOf(document, length - 2))
      refuseCount("wordOrder", sampling, 2 * places.length)
      const order = Seed.permutation(Seed.child(seed, "sentences"), places.length)
      const { special } = dataset
      const ids = new Int32Array(count * length).fill(special.pad)
      const labels = new Int32Array(count)
      for (let row = 0; row < count; row++) {
        const pair = row >> 1
        const place = places[order[pair] ?? 0]
        if (place === undefined) continue
        const written = row % 2 === 0
        const words = place.bounds.slice(0, -1).map((_, word) => word)
        const moved = written ? words : moveWords(words, place.movable, window, Seed.child(seed, "move", pair))
        ids.set([special.cls, ...moved.flatMap((word) => piecesOf(place, word)), special.sep], row * length)
        labels[row] = written ? 1 : 0
      }
      const attention = attentionOf(ids, special) ?? new Float32Array(ids.length).fill(1)
      return { count, length, ids, attention, labels }
    }
  }
}

const punctuation = tagClass(".")

const piecesOf = ({ document, bounds }: Place, word: number): ReadonlyArray<number> => [
  ...document.ids.subarray(bounds[word] ?? 0, bounds[word + 1] ?? 0)
]

/** The sentences of a document that fit in `room` pieces and have enough words that may move. */
const sentencesOf = (document: Document, room: number): ReadonlyArray<Place> => {
  const places: Array<Place> = []
  for (let sentence = 0; sentence + 1 < document.sentences.length; sentence++) {
    const start = document.sentences[sentence] ?? 0
    const end = document.sentences[sentence + 1] ?? 0
    if (end - start > room) continue
    const bounds = wordBounds(document, sentence)
    const last = bounds.length - 2
    const movable = bounds
      .map((_, word) => word)
      .filter((word) => word > 0 && word < last && document.tags[bounds[word] ?? 0] !== punctuation)
    if (movable.length >= fewestWords) places.push({ document, bounds, movable })
  }
  return places
}

/** The words with those of each window of the movable places in a random cyclic order (Sattolo 1986): none stays but one alone. */
const moveWords = (
  words: ReadonlyArray<number>,
  movable: ReadonlyArray<number>,
  window: number | undefined,
  seed: Seed.Seed
): ReadonlyArray<number> => {
  const moved = [...words]
  const draws = Seed.uniforms(seed, movable.length)
  const size = window ?? movable.length
  for (let first = 0; first < movable.length; first += size) {
    const last = Math.min(first + size, movable.length) - 1
    for (let i = last; i > first; i--) {
      const j = first + Math.floor((draws[i] ?? 0) * (i - first))
      const a = movable[i] ?? 0
      const b = movable[j] ?? 0
      const held = moved[a] ?? 0
      moved[a] = moved[b] ?? 0
      moved[b] = held
    }
  }
  return moved
}
