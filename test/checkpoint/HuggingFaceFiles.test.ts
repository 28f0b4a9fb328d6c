import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { files, readTokenizerFiles, tokenizerFileNames } from "../../src/checkpoint/HuggingFaceFiles.ts"
import { inFolder } from "./samples.ts"

describe("readTokenizerFiles", () => {
  it("gives those that are there, and nothing else", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* readTokenizerFiles(folder), {})
        yield* fs.writeFileString(`${folder}/vocab.txt`, "[PAD]\n")
        yield* fs.writeFileString(`${folder}/${files.config}`, "{}")
        const read = yield* readTokenizerFiles(folder)
        assert.deepStrictEqual(Object.keys(read), ["vocab.txt"])
        assert.strictEqual(new TextDecoder().decode(read["vocab.txt"]), "[PAD]\n")
      })
    ))

  it("names one that cannot be read", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        for (const name of tokenizerFileNames) {
          yield* fs.makeDirectory(`${folder}/${name}`)
          const error = yield* Effect.flip(readTokenizerFiles(folder))
          assert.match(error.message, new RegExp(`${name}: cannot be read \\(Directory\\)`))
          yield* fs.remove(`${folder}/${name}`, { recursive: true })
        }
      })
    ))
})
