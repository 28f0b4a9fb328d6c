import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as PieceFile from "../../src/data/PieceFile.ts"
import { Digest } from "../../src/spec/index.ts"
import { run as onFiles } from "./brown.ts"

/** Runs an effect on this machine's files; temporary ones go with it. */
const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>) =>
  onFiles(Effect.scoped(effect))

const documents = fc.uniqueArray(
  fc.record({ name: fc.string(), ids: fc.array(fc.nat({ max: 99 }), { maxLength: 20 }) }),
  { maxLength: 8, selector: ({ name }) => name }
)
const stored = (list: ReadonlyArray<{ readonly name: string; readonly ids: ReadonlyArray<number> }>) =>
  list.map(({ name, ids }) => ({ digest: Digest.ofBytes(name), ids }))

const fileOf = (list: ReadonlyArray<PieceFile.NewDocument>, vocabulary = 100) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped()
    const file = `${folder}/inner/some.pieces`
    yield* PieceFile.write(file, Stream.fromIterable(list), vocabulary, 3)
    assert.deepEqual(yield* fs.readDirectory(`${folder}/inner`), ["some.pieces"])
    return file
  })

describe("PieceFile", () => {
  it("gives back what was written, by digest, in two bytes a piece or in four", () =>
    run(
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(documents, fc.constantFrom(100, 1 << 16, (1 << 16) + 1), (list, vocabulary) =>
            run(
              Effect.gen(function* () {
                const read = yield* PieceFile.read(yield* fileOf(stored(list), vocabulary))
                const expected = stored(list).sort((a, b) => (a.digest < b.digest ? -1 : 1))
                assert.deepEqual(
                  Array.from(read ?? [], ({ digest, ids }) => ({ digest, ids: [...ids.subarray()] })),
                  expected.map(({ digest, ids }) => ({ digest, ids: [...ids] }))
                )
              })
            )
          ),
          { numRuns: 30 }
        )
      )
    ))

  it("reads parts as an array gives them", () =>
    run(
      Effect.gen(function* () {
        const ids = Array.from({ length: 12 }, (_, i) => (i * 70_001) % 100_000)
        const [document] = (yield* PieceFile.read(yield* fileOf([{ digest: Digest.ofBytes("x"), ids }], 100_000))) ?? []
        const array = Int32Array.from(ids)
        fc.assert(
          fc.property(fc.integer({ min: -15, max: 15 }), fc.integer({ min: -15, max: 15 }), (begin, end) => {
            assert.deepEqual(document?.ids.subarray(begin, end), array.slice(begin, end))
          }),
          { numRuns: 60 }
        )
      })
    ))

  it("takes no damaged file for a good one, whichever byte is changed or missing", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* fileOf(
          stored([
            { name: "a", ids: [5, 6, 7] },
            { name: "b", ids: [8] }
          ])
        )
        const bytes = yield* fs.readFile(file)
        for (let at = 0; at < bytes.length; at++) {
          const changed = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte))
          yield* fs.writeFile(file, changed)
          assert.isUndefined(yield* PieceFile.read(file))
          yield* fs.writeFile(file, bytes.subarray(0, at))
          assert.isUndefined(yield* PieceFile.read(file))
        }
        yield* fs.remove(file)
        assert.isUndefined(yield* PieceFile.read(file))
      })
    ))

  it("leaves no file where the documents fail", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        const failing = Stream.concat(Stream.make({ digest: Digest.ofBytes("a"), ids: [1] }), Stream.fail("stopped"))
        assert.strictEqual(yield* Effect.flip(PieceFile.write(`${folder}/x.pieces`, failing, 10)), "stopped")
        assert.deepEqual(yield* fs.readDirectory(folder), [])
      })
    ))
})
