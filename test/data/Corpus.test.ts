import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { CorpusError, type CorpusText, genres, parseBrown, readCorpus, splitFiles } from "../../src/data/Corpus.ts"
import { universalTags } from "../../src/data/UniversalTag.ts"
import { real, run } from "./brown.ts"

describe("the Brown corpus", () => {
  let corpus: CorpusText
  beforeAll(async () => {
    corpus = (await run(real)).corpus
  }, 60_000)

  it("has 500 files of 15 genres, and a digest", () => {
    assert.strictEqual(corpus.texts.size, 500)
    const counts = new Map<string, number>()
    for (const [file, text] of corpus.texts) {
      const genre = genres[parseBrown(file, text.slice(0, 200)).genre] ?? "none"
      counts.set(genre, (counts.get(genre) ?? 0) + 1)
    }
    assert.deepStrictEqual([...counts.values()], [44, 27, 17, 17, 36, 48, 75, 30, 80, 29, 24, 6, 29, 29, 9])
    assert.match(corpus.digest, /^[0-9a-f]{64}$/)
  })

  it("parses to words and parts of speech", () => {
    const { sentences } = parseBrown("ca01", corpus.texts.get("ca01") ?? "")
    const first = sentences[0]
    assert.strictEqual(first?.words.join(" ").slice(0, 54), "The Fulton County Grand Jury said Friday an investigat")
    assert.deepStrictEqual(
      first?.tags.slice(0, 8).map((tag) => universalTags[tag]),
      ["DET", "NOUN", "NOUN", "ADJ", "NOUN", "VERB", "NOUN", "DET"]
    )
    assert.isTrue(first?.words.includes('"'))
    for (const { words, tags } of sentences) {
      assert.strictEqual(words.length, tags.length)
      assert.isFalse(words.includes("``") || words.includes("''") || words.includes(""))
    }
  })

  it("keeps every word of every file", () => {
    let words = 0
    let tokens = 0
    for (const [file, text] of corpus.texts) {
      if (!file.endsWith("1")) continue
      words += parseBrown(file, text).sentences.reduce((sum, sentence) => sum + sentence.words.length, 0)
      tokens += text.split(/\s+/).filter((token) => token !== "").length
    }
    assert.isAbove(words, 50_000)
    assert.strictEqual(words, tokens)
  })

  it("splits 80/10/10 within each genre", () => {
    const split = splitFiles([...corpus.texts.keys()])
    assert.strictEqual(split.size, 500)
    for (const letter of "abcdefghjklmnpr") {
      const parts = [...split].filter(([file]) => file.charAt(1) === letter).map(([, part]) => part)
      const share = Math.max(1, Math.round(parts.length / 10))
      assert.strictEqual(parts.filter((part) => part === "test").length, share, letter)
      assert.strictEqual(parts.filter((part) => part === "validation").length, share, letter)
    }
  })
})

describe("splitFiles", () => {
  it("does not depend on the order of the files", () => {
    const files = Array.from({ length: 60 }, (_, i) => `c${"abf".charAt(i % 3)}${String(i).padStart(2, "0")}`)
    const expected = splitFiles(files)
    fc.assert(
      fc.property(fc.shuffledSubarray(files, { minLength: files.length }), (shuffled) => {
        const split = splitFiles(shuffled)
        for (const file of files) assert.strictEqual(split.get(file), expected.get(file))
      }),
      { numRuns: 20 }
    )
  })
})

describe("readCorpus", () => {
  const withFiles = (files: Record<string, string>) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* fs.makeTempDirectoryScoped()
      for (const [name, text] of Object.entries(files)) yield* fs.writeFileString(path.join(folder, name), text)
      return yield* Effect.result(readCorpus(folder))
    }).pipe(Effect.scoped)

  it("names what is missing and what to do", async () => {
    const missing = await run(Effect.flip(readCorpus("no such folder")))
    assert.instanceOf(missing, CorpusError)
    assert.match(missing.message, /cannot read no such folder; run `npm ci`/)
    const empty = await run(withFiles({ README: "nothing" }))
    assert.match(Result.match(empty, { onSuccess: () => "", onFailure: (error) => error.message }), /no Brown file/)
  })

  it("has another digest for another byte, and for another name", async () => {
    const digest = async (files: Record<string, string>) => {
      const result = await run(withFiles(files))
      return Result.getOrThrow(result).digest
    }
    const texts = [{ ca01: "a/at" }, { ca01: "b/at" }, { ca02: "a/at" }, { ca01: "a/", ca02: "at" }]
    const digests = await Promise.all([...texts, { ca01: "a/at", README: "not counted" }].map(digest))
    assert.strictEqual(new Set(digests).size, 4)
    assert.strictEqual(digests[4], digests[0])
  })
})
