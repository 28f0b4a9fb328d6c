import { Seed, Spec } from "../../spec/index.ts"
import type { Dataset } from "../Dataset.ts"
import { type Document, wordBounds } from "../Document.ts"
import { attentionOf } from "../Masking.ts"
import type { SpanExamples, SpanTask } from "../Span.ts"
import { refuseCount } from "../Task.ts"
import { tagClass } from "../UniversalTag.ts"

const determiner = tagClass("DET")
const noun = tagClass("NOUN")
const inside = new Set([determiner, noun, tagClass("ADJ"), tagClass("NUM")])

/** Words of a sentence, from `first` to `last`. */
export interface Phrase {
  readonly first: number
  readonly last: number
}

/**
 * The base noun phrases of a sentence, by the parts of speech of its words.
 *
 * A phrase is a run of determiners, adjectives, numbers and nouns, cut after its last noun; a determiner after another word of a
 * run begins a new one.
 *
 * @example
 * ```ts
 * import { nounPhrases, tagClass } from "homodistil/data"
 * // the old man gave each child two red apples
 * const tags = ["DET", "ADJ", "NOUN", "VERB", "DET", "NOUN", "NUM", "ADJ", "NOUN"] as const
 * assert.deepEqual(nounPhrases(tags.map(tagClass)), [{ first: 0, last: 2 }, { first: 4, last: 8 }])
 * ```
 */
export const nounPhrases = (tags: ReadonlyArray<number>): ReadonlyArray<Phrase> => {
  const phrases: Array<Phrase> = []
  let [first, last] = [-1, -1]
  const close = () => {
    if (last >= 0) phrases.push({ first, last })
    first = last = -1
  }
  tags.forEach((tag, word) => {
    const begins = tag === determiner && first >= 0 && tags[word - 1] !== determiner
    if (begins || !inside.has(tag)) close()
    if (!inside.has(tag)) return
    if (first < 0) first = word
    if (tag === noun) last = word
  })
  close()
  return phrases
}

/** The longest noun phrase in words; none where none has two words, or several are the longest. */
const longestOf = (tags: ReadonlyArray<number>): Phrase | undefined => {
  const phrases = nounPhrases(tags)
  const words = ({ first, last }: Phrase) => last - first + 1
  const most = Math.max(2, ...phrases.map(words))
  const [one, another] = phrases.filter((phrase) => words(phrase) === most)
  return another === undefined ? one : undefined
}

/**
 * Span extraction from the Brown corpus: which stretch of the sentence is its longest noun phrase?
 *
 * The answer follows from the parts of speech alone (`nounPhrases`): to find it is to tell the phrases of a sentence, their edges,
 * and which has the most words; where it lies says nothing (the most frequent place is right for one sentence in twenty).
 * Sentences without a phrase of two words, with several longest ones, or longer than a row are left out. Train and test
 * sentences come from different files. The context is the sentence as the vocabulary spells it, its words apart by spaces.
 *
 * @example
 * ```ts
 * import { spanPhrase } from "homodistil/data"
 * assert.deepEqual([spanPhrase().kind, spanPhrase().unanswerable], ["span", false])
 * ```
 */
export const spanPhrase = (): SpanTask => ({
  spec: Spec.make("spanPhrase"),
  kind: "span",
  unanswerable: false,
  examples: (dataset, sampling) => {
    const { count, length, seed, split } = sampling
    const places = [...dataset.documents[split]].flatMap((document) => placesOf(document, length - 2))
    refuseCount("spanPhrase", sampling, places.length)
    const order = Seed.permutation(Seed.child(seed, "sentences"), places.length).subarray(0, count)
    return examplesOf(
      dataset,
      [...order].flatMap((place) => places[place] ?? []),
      length
    )
  }
})

/** A sentence: where its words begin in the document's pieces, and its answer. */
interface Place {
  readonly document: Document
  readonly bounds: ReadonlyArray<number>
  readonly answer: Phrase
}

/** The sentences of a document that fit in `room` pieces and have an answer. */
const placesOf = (document: Document, room: number): ReadonlyArray<Place> =>
  Array.from({ length: document.sentences.length - 1 }, (_, sentence) => wordBounds(document, sentence)).flatMap(
    (bounds) => {
      if ((bounds.at(-1) ?? 0) - (bounds[0] ?? 0) > room) return []
      const answer = longestOf(bounds.slice(0, -1).map((at) => document.tags[at] ?? -1))
      return answer === undefined ? [] : [{ document, bounds, answer }]
    }
  )

const examplesOf = ({ vocabulary, special }: Dataset, places: ReadonlyArray<Place>, length: number): SpanExamples => {
  const count = places.length
  const ids = new Int32Array(count * length).fill(special.pad)
  const [from, to] = [new Int32Array(count * length), new Int32Array(count * length)]
  const allowed = new Float32Array(count * length)
  const [starts, ends] = [new Int32Array(count), new Int32Array(count)]
  const answers: Array<ReadonlyArray<string>> = []
  const contexts = places.map(({ document, bounds, answer }, row) => {
    const origin = bounds[0] ?? 0
    const pieces = document.ids.subarray(origin, bounds.at(-1))
    const begins = new Set(bounds.slice(1))
    const at = row * length
    ids.set([special.cls, ...pieces, special.sep], at)
    allowed.fill(1, at + 1, at + 1 + pieces.length)
    let text = ""
    pieces.forEach((id, piece) => {
      if (begins.has(origin + piece)) text += " "
      from[at + 1 + piece] = text.length
      text += (vocabulary[id] ?? "").replace(/^##/, "")
      to[at + 1 + piece] = text.length
    })
    const start = (bounds[answer.first] ?? 0) - origin + 1
    const end = (bounds[answer.last + 1] ?? 0) - origin
    starts[row] = start
    ends[row] = end
    answers.push([text.slice(from[at + start], to[at + end])])
    return text
  })
  const attention = attentionOf(ids, special) ?? new Float32Array(ids.length).fill(1)
  const questions = Int32Array.from(places.keys())
  return { count, length, ids, attention, questions, answers, starts, ends, allowed, contexts, from, to }
}
