import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { put, RunStore } from "homodistil/experiment"
import { sample } from "../runStoreSuite.ts"
import { closesAfter, inFolder, processStore } from "./disks.ts"

const keys = ["a", "b", "c", "d", "e"]
const cells = sample(...keys)

describe("Index", () => {
  it("changes nothing of a list, whatever happened to it", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ place: fc.nat(), how: fc.constantFrom("flip", "cut", "drop", "double") }), {
          minLength: 1,
          maxLength: 8
        }),
        (damages) =>
          inFolder((folder) =>
            Effect.gen(function* () {
              const fs = yield* FileSystem.FileSystem
              const store = yield* RunStore
              const index = `${folder}/index.ndjson`
              yield* Effect.forEach(cells, put)
              const before = yield* store.list
              assert.deepStrictEqual(
                before.map(({ key }) => key),
                keys
              )
              for (const { place, how } of damages) {
                const bytes = yield* fs.readFile(index)
                const at = place % Math.max(1, bytes.length)
                if (how === "drop") yield* fs.remove(index)
                else if (how === "cut") yield* fs.writeFile(index, bytes.subarray(0, at))
                else if (how === "double") yield* fs.writeFile(index, Uint8Array.from([...bytes, ...bytes]))
                else
                  yield* fs.writeFile(
                    index,
                    bytes.map((byte, i) => (i === at ? byte ^ (1 << (place % 8)) : byte))
                  )
                // a cell is finished behind half a line
                yield* put(yield* Effect.fromNullishOr(cells[place % cells.length]))
                assert.deepStrictEqual(yield* store.list, before)
              }
            })
          )
      ),
      { numRuns: 6 }
    ))

  it("notices a cell that was finished again, went away, or came from elsewhere", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const store = yield* RunStore
        yield* Effect.forEach(cells, put)
        yield* store.list
        const [a, b] = cells
        yield* put({ ...(yield* Effect.fromNullishOr(a)), measures: { new: 1 } })
        yield* fs.remove(`${folder}/cells/b`, { recursive: true })
        yield* fs.remove(`${folder}/cells/c/result.json`)
        const list = yield* store.list
        assert.deepStrictEqual(
          list.map(({ key }) => key),
          ["a", "d", "e"]
        )
        assert.deepStrictEqual(list[0]?.cell?.measures, { new: 1 })
        yield* Effect.promise(() =>
          inFolder((other) =>
            Effect.gen(function* () {
              yield* put(yield* Effect.fromNullishOr(b))
              yield* fs.copy(`${other}/cells/b`, `${folder}/cells/b`)
            })
          )
        )
        assert.deepStrictEqual(
          (yield* store.list).map(({ key }) => key),
          ["a", "b", "d", "e"]
        )
      })
    ))

  it("is written anew when most of it is of no use, and done without where it cannot be written", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const [cell] = cells
        yield* put(yield* Effect.fromNullishOr(cell))
        const index = `${folder}/index.ndjson`
        const line = yield* fs.readFileString(index)
        yield* fs.writeFileString(index, line.repeat(100))
        const list = yield* (yield* RunStore).list
        assert.strictEqual(yield* fs.readFileString(index), line)
        yield* fs.remove(index)
        const readOnly = processStore(folder, {
          started: 1,
          ...closesAfter(0),
          code: "EROFS",
          text: "read-only file system"
        })
        assert.deepStrictEqual(
          yield* Effect.flatMap(RunStore, (store) => store.list).pipe(Effect.provide(readOnly)),
          list
        )
        assert.isFalse((yield* fs.exists(index)) && (yield* fs.readFileString(index)) === line)
      })
    ))
})
