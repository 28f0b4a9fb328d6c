import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { isCopy, listDigest, surveyTexts } from "../../src/data/TextSurvey.ts"
import { Digest } from "../../src/spec/index.ts"
import { run } from "./brown.ts"

const digests = fc.array(fc.string().map(Digest.ofBytes), { maxLength: 8 })
/** Few different words, so that many documents are copies. */
const documents = fc.array(fc.constantFrom("a", "b", "c d", "e", "f", "g"), { maxLength: 25 })

describe("listDigest", () => {
  it("is the digest of the list", () =>
    fc.assert(
      fc.property(digests, (list) => {
        const running = listDigest()
        for (const digest of list) running.add(digest)
        assert.strictEqual(running.end(), Digest.of(list))
      })
    ))
})

describe("surveyTexts", () => {
  it("finds the digest of all different documents and every copy, with little room on disk or all in memory", () =>
    fc.assert(
      fc.asyncProperty(fc.tuple(documents, documents), fc.integer({ min: 1, max: 5 }), (both, room) =>
        run(
          Effect.gen(function* () {
            const fs = yield* FileSystem.FileSystem
            const folder = yield* fs.makeTempDirectoryScoped()
            const files = both.map((_, i) => `${folder}/${i}.txt`)
            for (const [i, file] of files.entries()) yield* fs.writeFileString(file, both[i]?.join("\n\n") ?? "")
            const all = both.flat()
            const expected = Digest.of([...new Set(all)].map((one) => Digest.ofBytes(one)).sort())
            for (const within of [`${folder}/inner`, undefined, `${files[0]}/in-a-file`]) {
              const survey = yield* surveyTexts(files, { bounds: "blocks", folder: within, room })
              assert.strictEqual(survey.digest, expected)
              assert.deepEqual(
                all.map((_, i) => isCopy(survey.copies, i)),
                all.map((one, i) => all.indexOf(one) < i)
              )
              // a bit of a document, and no more
              assert.strictEqual(survey.copies.byteLength, Math.ceil(all.length / 8))
            }
          }).pipe(Effect.scoped)
        )
      ),
      { numRuns: 25 }
    ))
})
