import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { type CellResult, FileRunStore, RunStore } from "homodistil/experiment"
import { cells, runStoreSuite } from "./runStoreSuite.ts"

/** Runs on the store of a new folder. */
const inFolder = <A, E>(
  use: (folder: string) => Effect.Effect<A, E, RunStore | NodeServices.NodeServices>
): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = `${yield* fs.makeTempDirectoryScoped()}/runs`
      return yield* use(folder).pipe(Effect.provide(FileRunStore.layer(folder)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

runStoreSuite("files", (effect) => inFolder(() => effect))

/** What the store says of a cell whose file was changed by `damage`. */
const afterDamage = (cell: CellResult, damage: (bytes: Uint8Array) => Uint8Array) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const store = yield* RunStore
      yield* store.put(cell)
      const file = `${folder}/cells/${cell.key}.json`
      yield* fs.writeFile(file, damage(yield* fs.readFile(file)))
      const found = yield* Effect.result(store.get(cell.key))
      assert.strictEqual(found._tag, "Failure")
      if (found._tag === "Failure") {
        assert.strictEqual(found.failure._tag, "StoreError")
        assert.include(found.failure.message, `${cell.key}.json`)
        assert.include(found.failure.message, "delete the file, and the cell is run again")
      }
    })
  )

describe("FileRunStore", () => {
  it("notices any flipped bit", () =>
    fc.assert(
      fc.asyncProperty(cells, fc.nat(), fc.nat({ max: 7 }), (cell, place, bit) =>
        afterDamage(cell, (bytes) => bytes.map((byte, i) => (i === place % bytes.length ? byte ^ (1 << bit) : byte)))
      ),
      { numRuns: 150 }
    ))

  it("notices a file that was cut or has grown", () =>
    fc.assert(
      fc.asyncProperty(cells, fc.nat(), fc.constantFrom("cut", "grown"), (cell, place, how) =>
        afterDamage(cell, (bytes) =>
          how === "cut" ? bytes.subarray(0, place % bytes.length) : Uint8Array.from([...bytes, ...bytes.subarray(0, 1)])
        )
      ),
      { numRuns: 40 }
    ))

  it("notices a cell under another's name", () =>
    fc.assert(
      fc.asyncProperty(cells, (cell) =>
        inFolder((folder) =>
          Effect.gen(function* () {
            const fs = yield* FileSystem.FileSystem
            const store = yield* RunStore
            yield* store.put(cell)
            yield* fs.rename(`${folder}/cells/${cell.key}.json`, `${folder}/cells/other.json`)
            const error = yield* Effect.flip(store.get("other"))
            assert.strictEqual(error._tag, "StoreError")
            assert.include(error.message, `it holds the cell ${cell.key}`)
          })
        )
      ),
      { numRuns: 10 }
    ))

  it("leaves nothing beside the cells, and survives being opened again", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const store = yield* RunStore
        const some = fc.sample(cells, { numRuns: 5, seed: 1 })
        yield* Effect.forEach(some, store.put)
        const again = RunStore.pipe(Effect.provide(FileRunStore.layer(folder)))
        const reopened = yield* again
        for (const cell of some) assert.deepStrictEqual(yield* reopened.get(cell.key), cell)
        const files = yield* fs.readDirectory(`${folder}/cells`)
        assert.deepStrictEqual(files.toSorted(), some.map(({ key }) => `${key}.json`).toSorted())
      })
    ))

  it("says what to do where it cannot write", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(folder, "in the way")
        const [cell] = fc.sample(cells, { numRuns: 1, seed: 2 })
        const error = yield* Effect.flip((yield* RunStore).put(yield* Effect.fromNullishOr(cell)))
        assert.match(error.message, /^cannot write .*runs: .*choose another folder with --store/)
      })
    ))
})
