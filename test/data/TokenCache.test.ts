import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as fc from "fast-check"
import type { Document } from "../../src/data/Document.ts"
import * as TokenCache from "../../src/data/TokenCache.ts"
import { run, toyDocument } from "./brown.ts"

const documents = [
  toyDocument("ca01", [5, 6, 7]),
  toyDocument(
    "cé02",
    Array.from({ length: 33 }, (_, i) => 70_000 + i)
  ),
  toyDocument("ca03", [])
]

describe("encode and decode", () => {
  it("round trip", () => {
    assert.deepStrictEqual(TokenCache.decode(TokenCache.encode(documents)), Option.some(documents))
  })

  it("notice any changed byte and any cut", () => {
    const whole = TokenCache.encode(documents)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Uint8Array.from(whole)
        damaged[at] = (damaged[at] ?? 0) ^ change
        assert.isTrue(Option.isNone(TokenCache.decode(damaged)))
        assert.isTrue(Option.isNone(TokenCache.decode(whole.subarray(0, at))))
      })
    )
  })
})

describe("remember", () => {
  const inFolder = <A, E>(
    use: (file: string, fs: FileSystem.FileSystem) => Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>
  ) =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        return yield* use(path.join(yield* fs.makeTempDirectoryScoped(), "deep", "kept.pieces"), fs)
      }).pipe(Effect.scoped)
    )
  const counting = () => {
    const made = { times: 0 }
    const make: Effect.Effect<ReadonlyArray<Document>> = Effect.sync(() => {
      made.times++
      return documents
    })
    return { made, make }
  }

  it("makes once, then reads; makes again what is damaged", () =>
    inFolder((file, fs) =>
      Effect.gen(function* () {
        const { made, make } = counting()
        assert.deepStrictEqual(yield* TokenCache.remember(file, make), documents)
        assert.deepStrictEqual(yield* TokenCache.remember(file, make), documents)
        assert.strictEqual(made.times, 1)
        const bytes = yield* fs.readFile(file)
        yield* fs.writeFile(file, bytes.subarray(0, bytes.length - 1))
        assert.deepStrictEqual(yield* TokenCache.remember(file, make), documents)
        assert.strictEqual(made.times, 2)
        assert.deepStrictEqual(yield* fs.readFile(file), bytes)
        assert.strictEqual((yield* fs.readDirectory(file.replace(/kept.pieces$/, ""))).length, 1)
      })
    ))

  it("does without a folder it cannot write", () =>
    inFolder((file, fs) =>
      Effect.gen(function* () {
        const { made, make } = counting()
        yield* fs.writeFileString(file.replace(/.deep.kept.pieces$/, "/deep"), "a file where the folder should be")
        assert.deepStrictEqual(yield* TokenCache.remember(file, make), documents)
        assert.strictEqual(made.times, 1)
      })
    ))
})
