import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FileSystem from "effect/FileSystem"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FileRunStore, put, RunStore } from "homodistil/experiment"
import * as Objects from "../../../src/experiment/store/Objects.ts"
import { sample, working } from "../runStoreSuite.ts"
import { closesAfter, filesIn, inFolder, processStore } from "./disks.ts"

const first = Effect.fromNullishOr(sample("first")[0])
const second = Effect.fromNullishOr(sample("first", "second")[1])

const mount = (...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync("mount", args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** A disk of 256 kB, where the system lets us have one. */
const smallDisk = (): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "disk-"))
  if (mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", folder)) return folder
  rmSync(folder, { recursive: true })
  return undefined
}

describe("Objects", () => {
  it("are whole or what they were, wherever writing ends", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(folder)
        const bytes = (text: string) => new TextEncoder().encode(text)
        yield* Objects.write(folder, "object", [bytes("be"), bytes("fore")])
        assert.strictEqual(yield* fs.readFileString(`${folder}/object`), "before")
        yield* fs.makeDirectory(`${folder}/taken/inside`, { recursive: true })
        yield* Effect.flip(Objects.write(folder, "taken", [bytes("after")]))
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["object", "taken"])
        assert.deepStrictEqual(yield* Objects.names(`${folder}/object`), [])
        assert.isUndefined(yield* Objects.read(`${folder}/object/inside`))
      })
    ))

  it("tell in plain words why they cannot be written, and nothing finished is lost", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const said: ReadonlyArray<readonly [code: string, text: string, message: RegExp]> = [
          [
            "ENOSPC",
            "no space left on device",
            /runs: the disk is full; make room, or choose .* --store; what is finished is kept$/
          ],
          ["EDQUOT", "disk quota exceeded", /runs: the disk quota is used up; make room/],
          ["EROFS", "read-only file system", /runs: the file system is read-only; choose another folder with --store/],
          ["EIO", "i/o error", /runs: EIO: i\/o error, write; choose another folder/]
        ]
        const cell = yield* first
        const store = yield* RunStore
        yield* put(cell)
        for (const [code, text, message] of said) {
          const broken = processStore(folder, { started: 1, ...closesAfter(0), code, text })
          const error = yield* Effect.flip(Effect.flatMap(second, put).pipe(Effect.provide(broken)))
          assert.match(error.message, message)
          assert.deepStrictEqual(yield* store.get("first"), cell)
        }
        assert.deepStrictEqual(yield* store.verify, [])
      })
    ))

  it("survive a disk that is full, and one that becomes read-only", async ({ skip }) => {
    const disk = smallDisk()
    if (disk === undefined) return skip("no disk can be mounted here")
    const folder = `${disk}/runs`
    try {
      await Effect.runPromise(
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const store = yield* RunStore
          const [a, b] = [yield* first, yield* second]
          yield* put(a)
          yield* working("second", (claim) =>
            Effect.gen(function* () {
              yield* claim.record({ step: 1 })
              yield* claim.save(1, new Uint8Array(1000))
              yield* claim.record({ step: 2 })
              const error = yield* Effect.flip(claim.save(2, new Uint8Array(400_000)))
              assert.match(error.message, /runs: the disk is full; make room/)
              assert.deepStrictEqual(yield* store.verify, [])
              yield* Effect.orDie(fs.writeFile(`${disk}/other`, new Uint8Array(100_000)))
              for (let i = 0; i < 2000; i++) yield* Effect.ignore(claim.record({ i, text: "x".repeat(100) }))
              assert.match((yield* Effect.flip(claim.finish(b))).message, /the disk is full/)
              assert.isUndefined(yield* store.get("second"))
            })
          )
          assert.deepStrictEqual(yield* store.get("first"), a)
          assert.deepStrictEqual(yield* store.verify, [])
          yield* fs.remove(`${disk}/other`)
          yield* working("second", (claim) =>
            Effect.gen(function* () {
              assert.strictEqual(claim.checkpoint?.length, 1000)
              yield* claim.finish(b)
            })
          )
          assert.strictEqual((yield* fs.readFileString(`${folder}/cells/second/metrics.ndjson`)).split("\n").length, 2)

          assert.isTrue(mount("-o", "remount,ro", disk))
          const before = yield* filesIn(folder)
          const refused = [
            yield* Effect.flip(put(a)),
            yield* Effect.flip(put({ ...a, key: "third" })),
            yield* Effect.flip(Effect.flatMap(RunStore, ({ claim }) => Effect.scoped(claim("first"))))
          ]
          for (const { message } of refused)
            assert.match(message, /runs: the file system is read-only; choose another folder/)
          assert.deepStrictEqual(yield* store.get("first"), a)
          assert.deepStrictEqual(
            (yield* store.list).map(({ key }) => key),
            ["first", "second"]
          )
          assert.deepStrictEqual(yield* store.verify, [])
          assert.deepStrictEqual(yield* store.collect({ begun: true, dryRun: false }), [])
          assert.deepStrictEqual(yield* filesIn(folder), before)
        }).pipe(Effect.provide(Layer.provideMerge(FileRunStore.layer(folder), NodeServices.layer)))
      )
    } finally {
      execFileSync("umount", [disk])
      rmSync(disk, { recursive: true })
    }
  })
})
