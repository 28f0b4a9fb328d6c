import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { type CellResult, FileRunStore, put, RunStore } from "homodistil/experiment"
import { cells, runStoreSuite, sample, working } from "./runStoreSuite.ts"
import { filesIn, inFolder } from "./store/disks.ts"

runStoreSuite("files", (effect) => inFolder(() => effect))

/** What the store says of a cell of which an object was changed by `damage`. */
const afterDamage = (cell: CellResult, name: string, damage: (bytes: Uint8Array) => Uint8Array) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const store = yield* RunStore
      yield* put(cell)
      const file = `${folder}/cells/${cell.key}/${name}`
      yield* fs.writeFile(file, damage(yield* fs.readFile(file)))
      const error = yield* Effect.flip(store.get(cell.key))
      assert.strictEqual(error.object, file)
      assert.include(error.message, `delete ${folder}/cells/${cell.key}, and the cell is run again`)
    })
  )

const checked = fc.constantFrom("result.json", "provenance.json")

describe("FileRunStore", () => {
  it("notices any flipped bit", () =>
    fc.assert(
      fc.asyncProperty(cells, checked, fc.nat(), fc.nat({ max: 7 }), (cell, name, place, bit) =>
        afterDamage(cell, name, (bytes) =>
          bytes.map((byte, i) => (i === place % bytes.length ? byte ^ (1 << bit) : byte))
        )
      ),
      { numRuns: 40 }
    ))

  it("notices an object that was cut or has grown", () =>
    fc.assert(
      fc.asyncProperty(cells, checked, fc.nat(), fc.constantFrom("cut", "grown"), (cell, name, place, how) =>
        afterDamage(cell, name, (bytes) =>
          how === "cut" ? bytes.subarray(0, place % bytes.length) : Uint8Array.from([...bytes, ...bytes.subarray(0, 1)])
        )
      ),
      { numRuns: 20 }
    ))

  it("notices what a finished cell lacks, and a cell under another's name", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const store = yield* RunStore
        yield* Effect.forEach(sample("a", "b", "c"), put)
        yield* fs.remove(`${folder}/cells/a/provenance.json`)
        yield* fs.remove(`${folder}/cells/b/metrics.ndjson`)
        yield* fs.rename(`${folder}/cells/c`, `${folder}/cells/d`)
        const messages = yield* Effect.forEach(["a", "b", "d"], (key) => Effect.flip(store.get(key)))
        assert.match(messages[0]?.message ?? "", /a\/provenance\.json cannot be used: it is missing/)
        assert.match(messages[1]?.message ?? "", /b\/metrics\.ndjson cannot be used: it is missing/)
        assert.match(messages[2]?.message ?? "", /d\/result\.json cannot be used: it is of the cell c;/)
        assert.deepStrictEqual(
          (yield* store.list).map(({ state }) => state),
          ["finished", "finished", "damaged"] // a list asks no more than whether the results are those it knows
        )
        assert.strictEqual((yield* store.verify).length, 4) // and the other's provenance
      })
    ))

  it("leaves nothing beside the cells, and survives being opened again", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const some = sample("one", "two", "three")
        yield* Effect.forEach(some, put)
        const reopened = yield* RunStore.pipe(Effect.provide(FileRunStore.layer(folder)))
        for (const cell of some) assert.deepStrictEqual(yield* reopened.get(cell.key), cell)
        const names = ["metrics.ndjson", "provenance.json", "result.json"]
        assert.deepStrictEqual(yield* filesIn(folder), [
          ...["one", "three", "two"].flatMap((key) => names.map((name) => `cells/${key}/${name}`)),
          "index.ndjson"
        ])
      })
    ))

  it("gives the same bytes for the same cell, whoever finishes it and when", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const read = (name: string) => fs.readFileString(`${folder}/cells/one/${name}`)
        const cell = yield* Effect.fromNullishOr(sample("one")[0])
        const once = (seconds: number) =>
          Effect.gen(function* () {
            yield* working("one", (claim) =>
              Effect.gen(function* () {
                yield* claim.record({ loss: 0.5, step: 1 })
                yield* claim.log(`${seconds}`)
                yield* claim.finish({ ...cell, provenance: { ...cell.provenance, seconds } })
              })
            )
            return {
              result: yield* read("result.json"),
              metrics: yield* read("metrics.ndjson"),
              from: yield* read("provenance.json")
            }
          })
        const [a, b] = [yield* once(1), yield* once(2)]
        assert.deepStrictEqual([a.result, a.metrics], [b.result, b.metrics])
        assert.notEqual(a.from, b.from)
        assert.strictEqual(a.metrics.split("\n").length, 2)
      })
    ))

  it("says what to do where it cannot write", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(folder, "in the way")
        const error = yield* Effect.flip(put(yield* Effect.fromNullishOr(sample("one")[0])))
        assert.match(error.message, /^cannot write .*runs: .*choose another folder with --store/)
      })
    ))
})
