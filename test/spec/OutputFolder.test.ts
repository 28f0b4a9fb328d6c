import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as OutputFolder from "../../src/spec/OutputFolder.ts"

const inFolder = <A, E>(
  use: (folder: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, NodeServices.NodeServices>
) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      return yield* use(yield* fs.makeTempDirectoryScoped(), fs)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

describe("make", () => {
  it("makes a folder and those it is in, and leaves what is there", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* OutputFolder.make(`${folder}/a/b`)
        yield* fs.writeFileString(`${folder}/a/b/file`, "text")
        yield* OutputFolder.make(`${folder}/a/b`)
        assert.strictEqual(yield* fs.readFileString(`${folder}/a/b/file`), "text")
      })
    ))

  it("may be asked for the same folder many times at once", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const twenty = Array.from({ length: 20 }, () => OutputFolder.make(`${folder}/a/b/c`))
        yield* Effect.all(twenty, { concurrency: "unbounded" })
        assert.isTrue(yield* fs.exists(`${folder}/a/b/c`))
      })
    ))

  it("fails below a file", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${folder}/file`, "text")
        assert.strictEqual((yield* Effect.flip(OutputFolder.make(`${folder}/file/a`)))._tag, "PlatformError")
        assert.strictEqual(yield* fs.readFileString(`${folder}/file`), "text")
      })
    ))
})

describe("kindOf", () => {
  it("tells what stands at a path", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${folder}/file`, "text")
        const kinds = yield* Effect.forEach(["", "/file", "/none"], (name) => OutputFolder.kindOf(`${folder}${name}`))
        assert.deepStrictEqual(kinds, ["Directory", "File", undefined])
      })
    ))
})
