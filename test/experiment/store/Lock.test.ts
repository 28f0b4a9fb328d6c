import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { TestClock } from "effect/testing"
import { put, RunStore } from "homodistil/experiment"
import * as CellFolder from "../../../src/experiment/store/CellFolder.ts"
import * as Checked from "../../../src/experiment/store/Checked.ts"
import * as Worker from "../../../src/experiment/store/Worker.ts"
import { sample } from "../runStoreSuite.ts"
import { filesIn, inFolder, processStore } from "./disks.ts"
import { done, race, unexpected } from "./race.ts"

describe("Lock", () => {
  it("lets four processes do twenty cells, none of them twice", async () => {
    const lines = await race(20, async () => {})
    assert.deepStrictEqual(unexpected(lines), [])
    assert.deepStrictEqual(done(lines), Array.from({ length: 20 }, (_, i) => `done cell${i}`).toSorted())
  })

  it("is over with its process, though the number lives on", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const earlier = yield* RunStore.pipe(Effect.provide(processStore(folder, { started: 1 })))
        const later = yield* RunStore.pipe(Effect.provide(processStore(folder, { started: 2 })))
        // never given back
        const claim = yield* Effect.fromNullishOr(yield* earlier.claim("cell"))
        yield* claim.save(1, Uint8Array.of(1))
        const again = yield* Effect.fromNullishOr(yield* later.claim("cell"))
        assert.deepStrictEqual(again.checkpoint && [...again.checkpoint], [1])
        // the one that was thought to have ended notices
        const error = yield* Effect.flip(claim.save(2, Uint8Array.of(2)))
        assert.match(error.message, /lock\..* cannot be used: another process took the cell over/)
        assert.strictEqual((yield* filesIn(folder)).filter((name) => name.includes("lock.")).length, 1)
      }).pipe(Effect.scoped)
    ))

  it("of another machine, or a damaged one, holds until it was silent for two minutes", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const store = yield* RunStore
        const here = yield* Worker.here
        const away = yield* Checked.of(Worker.Worker).encode({ ...here, host: "another" })
        const { folder: cell } = CellFolder.of(folder, "cell")
        for (const bytes of [away, away.subarray(0, 20), new Uint8Array()]) {
          yield* fs.makeDirectory(cell, { recursive: true })
          yield* fs.writeFile(`${cell}/lock.away`, bytes)
          const now = Option.getOrThrow((yield* fs.stat(`${cell}/lock.away`)).mtime).getTime() / 1000
          yield* fs.utimes(`${cell}/lock.away`, now - 100, now - 100)
          assert.isUndefined(yield* Effect.scoped(store.claim("cell")))
          assert.deepStrictEqual(
            (yield* store.list).map(({ state }) => state),
            ["running"]
          )
          yield* fs.utimes(`${cell}/lock.away`, now - 130, now - 130)
          yield* put(yield* Effect.fromNullishOr(sample("cell")[0]))
          assert.isFalse(yield* fs.exists(`${cell}/lock.away`))
          yield* fs.remove(cell, { recursive: true })
        }
      })
    ))

  it("is renewed every fifteen seconds, so that other machines see its holder", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* (yield* RunStore).claim("cell")
        const [name = ""] = yield* fs.readDirectory(`${folder}/cells/cell`)
        const time = Effect.map(fs.stat(`${folder}/cells/cell/${name}`), ({ mtime }) =>
          Option.getOrThrow(mtime).getTime()
        )
        const tick = Effect.promise(() => new Promise((go) => setTimeout(go, 20)))
        for (const beats of [1, 2, 3]) {
          // what the last beat wrote is on the disk
          yield* tick
          const last = yield* time
          yield* TestClock.adjust("14 seconds")
          yield* tick
          assert.strictEqual(yield* time, last, `before beat ${beats}`)
          yield* TestClock.adjust("1 second")
          while ((yield* time) === last) yield* tick
        }
      }).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
    ))
})
