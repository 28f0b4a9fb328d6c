import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { readTextFile } from "../../../src/data/index.ts"
import { Digest } from "../../../src/spec/index.ts"
import { run } from "../brown.ts"

describe("readTextFile", () => {
  it("gives the text and the digest of the bytes, and refuses what is no UTF-8", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = `${yield* fs.makeTempDirectoryScoped()}/a.txt`
        yield* fs.writeFileString(file, "\ufeffé\r\n")
        assert.deepStrictEqual(yield* readTextFile(file), {
          file,
          text: "\ufeffé\r\n",
          digest: Digest.ofBytes("\ufeffé\r\n")
        })
        yield* fs.writeFile(file, Uint8Array.of(0xc3, 0x28))
        const error = yield* Effect.flip(readTextFile(file))
        assert.match(error.message, /a\.txt: file = bytes of another kind: must be text in UTF-8; convert it first/)
        assert.match((yield* Effect.flip(readTextFile("nowhere"))).message, /^nowhere: file = nothing/)
        for (const [path, type] of [
          ["/dev/null", "CharacterDevice"],
          [".", "Directory"]
        ] as const)
          assert.include(
            (yield* Effect.flip(readTextFile(path))).message,
            `${path}: file = ${type}: must be a file; give`
          )
      }).pipe(Effect.scoped)
    ))
})
