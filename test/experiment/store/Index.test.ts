import { assert, describe, it } from "@effect/vitest"
import type * as NodeServices from "@effect/platform-node/NodeServices"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { put, RunStore } from "homodistil/experiment"
import * as CheckedLine from "../../../src/experiment/store/CheckedLine.ts"
import * as IndexLines from "../../../src/experiment/store/IndexLines.ts"
import { sample, working } from "../runStoreSuite.ts"
import { closesAfter, inFolder, processStore } from "./disks.ts"

const keys = ["a", "b", "c", "d", "e"]
const cells = sample(...keys)

const pick = fc.nat({ max: keys.length - 1 })
const damage = fc.constantFrom("flip", "cut", "drop", "double", "old format")

/** What may happen to a store between two lists. */
const happenings = fc.oneof(
  fc.record({ what: fc.constant("put" as const), pick, measure: fc.nat() }),
  fc.record({ what: fc.constant("begin" as const), pick }),
  fc.record({ what: fc.constant("delete" as const), pick }),
  fc.record({ what: fc.constant("damage result" as const), pick, how: damage, place: fc.nat() }),
  fc.record({ what: fc.constant("damage index" as const), how: damage, place: fc.nat() })
)

type Happening = typeof happenings extends fc.Arbitrary<infer A> ? A : never

/** Damages a file, if it is there; `time` is when. */
const spoil = (
  file: string,
  how: typeof damage extends fc.Arbitrary<infer A> ? A : never,
  place: number,
  time: number
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(file))) return
    if (how === "drop") return yield* fs.remove(file)
    const bytes = yield* fs.readFile(file)
    const at = place % Math.max(1, bytes.length)
    const spoilt = {
      flip: () => bytes.map((byte, i) => (i === at ? byte ^ (1 << (place % 8)) : byte)),
      cut: () => bytes.subarray(0, at),
      double: () => Uint8Array.from([...bytes, ...bytes]),
      "old format": () =>
        new TextEncoder().encode(`${CheckedLine.of({ format: 1, key: "a", spec: {}, measures: {}, bytes: 3 })}\n`)
    }
    yield* fs.writeFile(file, spoilt[how]())
    // a clock may stand still between two writes of as many bytes
    yield* fs.utimes(file, time, time)
  })

const happen = (folder: string, happening: Happening, time: number) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (happening.what === "damage index")
      return yield* spoil(`${folder}/index.ndjson`, happening.how, happening.place, time)
    const cell = yield* Effect.fromNullishOr(cells[happening.pick])
    const at = `${folder}/cells/${cell.key}`
    switch (happening.what) {
      case "put":
        return yield* put({
          ...cell,
          measures: { ...cell.measures, new: happening.measure },
          ...(happening.measure % 3 === 0 ? { diverged: "the loss was NaN" } : {})
        })
      case "begin":
        return yield* working(cell.key, (claim) => claim.save(1, new Uint8Array(3)))
      case "delete":
        return yield* fs.remove(at, { recursive: true, force: true })
      case "damage result":
        return yield* spoil(`${at}/result.json`, happening.how, happening.place, time)
    }
  })

/** The list is what reading each cell gives, and what a list without an index gives. */
const agrees = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const store = yield* RunStore
    const index = `${folder}/index.ndjson`
    const listed = yield* store.list
    for (const { key, state, cell } of listed) {
      const read = yield* Effect.result(store.get(key))
      if (read._tag === "Failure") assert.deepStrictEqual([state, cell], ["damaged", undefined])
      else if (read.success === undefined) assert.deepStrictEqual([state, cell], ["begun", undefined])
      else {
        const { spec, measures, provenance, diverged } = read.success
        const expected = diverged === undefined ? "finished" : "diverged"
        assert.deepStrictEqual([state, cell], [expected, { spec, measures, provenance }])
      }
    }
    assert.deepStrictEqual(yield* store.list, listed)
    if (!(yield* fs.exists(index))) return
    const bytes = yield* fs.readFile(index)
    yield* fs.remove(index)
    assert.deepStrictEqual(yield* store.list, listed)
    yield* fs.writeFile(index, bytes)
  })

describe("Index", () => {
  it("gives the list that the cells give, whatever was added, damaged, deleted or torn", () =>
    fc.assert(
      fc.asyncProperty(fc.array(happenings, { minLength: 1, maxLength: 12 }), (list) =>
        inFolder((folder) =>
          Effect.gen(function* () {
            const services = yield* Effect.context<NodeServices.NodeServices>()
            // two processes that add and list
            const layers = [1, 2].map((started) => processStore(folder, { started }))
            const stores = yield* Effect.forEach(layers, (layer) => RunStore.pipe(Effect.provide(layer)))
            for (const [i, happening] of list.entries()) {
              const own = Context.add(services, RunStore, yield* Effect.fromNullishOr(stores[i % 2]))
              yield* Effect.provide(happen(folder, happening, i), own)
              yield* Effect.provide(agrees(folder), own)
            }
          })
        )
      ),
      { numRuns: 25 }
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

  it("loses only the line that was torn, and has what cells have in common once for each process", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const index = `${folder}/index.ndjson`
        const plan = { name: "a plan", version: 1, options: { purpose: "the same for all of them" } }
        const common = cells.map((cell, seed) => ({ ...cell, spec: { plan, seed } }))
        yield* Effect.forEach(common.slice(0, 3), put)
        const bytes = yield* fs.readFile(index)
        yield* fs.writeFile(index, bytes.subarray(0, bytes.length - 9))
        yield* Effect.forEach(common.slice(3), put)
        const text = yield* fs.readFileString(index)
        assert.deepStrictEqual([...IndexLines.decode(text).cells.keys()], ["a", "b", "d", "e"])
        assert.lengthOf(text.match(/the same for all/g) ?? [], 1)
        const other = processStore(folder, { started: 1 })
        yield* Effect.forEach(common, put).pipe(Effect.provide(other))
        assert.lengthOf((yield* fs.readFileString(index)).match(/the same for all/g) ?? [], 2)
        assert.strictEqual((yield* (yield* RunStore).list).length, 5)
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
        yield* fs.writeFileString(index, line.repeat(200))
        const list = yield* (yield* RunStore).list
        assert.strictEqual(yield* fs.readFileString(index), line.trimStart())
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
        assert.isFalse((yield* fs.exists(index)) && (yield* fs.readFileString(index)).includes(line.trim()))
      })
    ))
})
