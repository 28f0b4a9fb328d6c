import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as RecordSort from "../../src/data/RecordSort.ts"
import { run as onFiles } from "./brown.ts"

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path | Scope.Scope>) =>
  onFiles(Effect.scoped(effect))

const sorted = (sort: RecordSort.RecordSort, width: number) =>
  Effect.map(Stream.runCollect(sort.sorted), (blocks) =>
    blocks.flatMap((block) =>
      Array.from({ length: block.length / width }, (_, i) => block.slice(i * width, (i + 1) * width).join(" "))
    )
  )

/** Records in the order of their bytes, by comparing lists of numbers. */
const plain = (records: ReadonlyArray<Uint8Array>): ReadonlyArray<string> =>
  records
    .map((record) => [...record])
    .sort((a, b) => {
      const at = a.findIndex((byte, i) => byte !== b[i])
      return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
    })
    .map((record) => record.join(" "))

/** Few different bytes, so that records share beginnings and some are equal. */
const lists = fc.integer({ min: 1, max: 6 }).chain((width) =>
  fc.record({
    width: fc.constant(width),
    room: fc.integer({ min: 1, max: 9 }),
    records: fc.array(fc.uint8Array({ min: 126, max: 129, minLength: width, maxLength: width }), { maxLength: 60 })
  })
)

describe("RecordSort", () => {
  it("sorts as a list in memory is sorted, however few records it may hold, with a folder or without", () =>
    fc.assert(
      fc.asyncProperty(lists, fc.boolean(), ({ width, room, records }, onDisk) =>
        run(
          Effect.gen(function* () {
            const fs = yield* FileSystem.FileSystem
            const folder = onDisk ? yield* fs.makeTempDirectoryScoped() : undefined
            const sort = yield* RecordSort.make({ width, room, folder })
            const record = new Uint8Array(width)
            for (const one of records) {
              record.set(one)
              yield* sort.add(record)
            }
            assert.deepEqual(yield* sorted(sort, width), plain(records))
            // and again: what was read is not lost
            assert.deepEqual(yield* sorted(sort, width), plain(records))
          })
        )
      ),
      { numRuns: 40 }
    ))

  it("merges runs that are longer than what is read of them at once", () =>
    run(
      Effect.gen(function* () {
        const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
        const sort = yield* RecordSort.make({ width: 4, room: 3000, folder })
        const count = 10_007
        const record = Buffer.alloc(4)
        // 4801 and the count have no common divisor: every number below it once
        for (let i = 0; i < count; i++) {
          record.writeUInt32BE((i * 4801) % count)
          yield* sort.add(record)
        }
        const blocks = yield* Stream.runCollect(sort.sorted)
        const all = Buffer.concat(blocks)
        assert.strictEqual(all.length, 4 * count)
        for (let i = 0; i < count; i++) assert.strictEqual(all.readUInt32BE(4 * i), i)
      })
    ))

  it("leaves nothing in the folder", () =>
    onFiles(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const sort = yield* RecordSort.make({ width: 1, room: 1, folder })
            for (const byte of [3, 1, 2]) yield* sort.add(Uint8Array.of(byte))
            assert.strictEqual((yield* fs.readDirectory(folder)).length, 1)
          })
        )
        assert.deepEqual(yield* fs.readDirectory(folder), [])
      }).pipe(Effect.scoped)
    ))

  it("fails as the disk does where its folder cannot be made", () =>
    run(
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const file = yield* fs.makeTempFileScoped()
        const sort = yield* RecordSort.make({ width: 1, room: 1, folder: `${file}/inside` })
        yield* sort.add(Uint8Array.of(1))
        const error = yield* Effect.flip(sort.add(Uint8Array.of(2)))
        assert.strictEqual(error._tag, "PlatformError")
      })
    ))
})
