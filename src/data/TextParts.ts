import type { Digest } from "../spec/index.ts"
import type { SplitName } from "./Corpus.ts"
import type { Document, Documents } from "./Document.ts"
import type { StoredDocuments } from "./PieceFile.ts"
import { listDigest } from "./TextSurvey.ts"

/** The documents of a text by split, and the digest of them all: `Digest.of` of their digests, rising. */
export interface TextParts {
  readonly text: Digest.Digest
  readonly documents: Readonly<Record<SplitName, Documents>>
}

const [noTags, noSentences] = [new Int8Array(0), new Int32Array(0)]
/** What is not known of a document of plain text: its genre, its parts of speech and its sentences. */
const unknown = { genre: -1, tags: noTags, sentences: noSentences }

/** The split of the document whose text has this digest. */
export const splitOfDigest = (digest: Digest.Digest): SplitName => {
  const tenth = Number.parseInt(digest.slice(0, 8), 16) % 10
  return tenth === 0 ? "test" : tenth === 1 ? "validation" : "train"
}

/** Some of the documents of a store, by their numbers; nothing is read before a document's name or pieces are asked for. */
const some = (stored: StoredDocuments, numbers: Uint32Array, lengths: Uint32Array): Documents => {
  const at = (index: number): Document | undefined => {
    const number = numbers[index]
    if (number === undefined) return undefined
    const found = () => stored.at(number)
    return {
      ...unknown,
      get file() {
        return found()?.digest ?? ""
      },
      ids: {
        length: lengths[number] ?? 0,
        subarray: (begin, end) => found()?.ids.subarray(begin, end) ?? new Int32Array(0)
      }
    }
  }
  return {
    length: numbers.length,
    at,
    *[Symbol.iterator]() {
      for (let index = 0; index < numbers.length; index++) {
        const document = at(index)
        if (document !== undefined) yield document
      }
    }
  }
}

const names = ["train", "validation", "test"] as const

/** Splits documents that lie in a store: eight bytes of each are remembered, its number and how many pieces it has. */
export const partsOf = (stored: StoredDocuments): TextParts => {
  const lengths = new Uint32Array(stored.length)
  const splits = new Uint8Array(stored.length)
  const counts = new Uint32Array(names.length)
  const list = listDigest()
  let read = 0
  for (const { digest, ids } of stored) {
    const split = names.indexOf(splitOfDigest(digest))
    lengths[read] = ids.length
    splits[read] = split
    counts[split] = (counts[split] ?? 0) + 1
    list.add(digest)
    read++
  }
  const part = (name: SplitName): Documents => {
    const split = names.indexOf(name)
    const numbers = new Uint32Array(counts[split] ?? 0)
    let filled = 0
    splits.forEach((one, number) => {
      if (one === split) numbers[filled++] = number
    })
    return some(stored, numbers, lengths)
  }
  return {
    text: list.end(),
    documents: { train: part("train"), validation: part("validation"), test: part("test") }
  }
}

/** Splits documents that are in memory. */
export const partsInHand = (stored: StoredDocuments): TextParts => {
  const list = listDigest()
  const parts: Record<SplitName, Array<Document>> = { train: [], validation: [], test: [] }
  for (const { digest, ids } of stored) {
    list.add(digest)
    parts[splitOfDigest(digest)].push({ ...unknown, file: digest, ids })
  }
  return { text: list.end(), documents: parts }
}
