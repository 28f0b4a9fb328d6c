import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import { type PlatformError, systemError } from "effect/PlatformError"
import * as WholeFolder from "../../src/checkpoint/WholeFolder.ts"
import { inFolder } from "./samples.ts"

const known = ["a", "b", "old"]
const files = { a: Uint8Array.of(1, 2), b: new Uint8Array(0) }
const before = { a: Uint8Array.of(9), old: Uint8Array.of(8) }

/** The files of a folder; `undefined` where there is none. */
const contents = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(folder))) return undefined
    const names = yield* fs.readDirectory(folder)
    const pairs = yield* Effect.forEach(names, (name) =>
      Effect.map(fs.readFile(`${folder}/${name}`), (x) => [name, [...x]] as const)
    )
    return Object.fromEntries(pairs)
  })
const plain = (some: { readonly [name: string]: Uint8Array }) =>
  Object.fromEntries(Object.entries(some).map(([name, x]) => [name, [...x]]))

/** A file system whose operation number `at` (of those that write) does not happen, and how many it was asked for. */
const failing = (fs: FileSystem.FileSystem, at: number, failure: Effect.Effect<never, PlatformError>) => {
  const asked = { times: 0 }
  const perhaps = <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, PlatformError, R> =>
    Effect.suspend((): Effect.Effect<A, PlatformError, R> => (asked.times++ === at ? failure : effect))
  const broken: FileSystem.FileSystem = {
    ...fs,
    makeDirectory: (...x) => perhaps(fs.makeDirectory(...x)),
    makeTempDirectoryScoped: (...x) => perhaps(fs.makeTempDirectoryScoped(...x)),
    writeFile: (...x) => perhaps(fs.writeFile(...x)),
    rename: (...x) => perhaps(fs.rename(...x))
  }
  return { asked, broken }
}

const denied = Effect.fail(systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "test" }))

describe("write", () => {
  it("makes the folder and the folders it is in, and leaves nothing beside it", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* WholeFolder.write(`${folder}/deep/er/new`, files, known)
        assert.deepStrictEqual(yield* contents(`${folder}/deep/er/new`), plain(files))
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/deep/er`), ["new"])
      })
    ))

  it("puts the parts of a file one after another", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const parts = [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]
        yield* WholeFolder.write(`${folder}/x`, { a: parts, b: [] }, known)
        assert.deepStrictEqual(yield* contents(`${folder}/x`), { a: [1, 2, 3], b: [] })
      })
    ))

  it("replaces known files as a whole, and an empty folder", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${folder}/x`)
        yield* WholeFolder.write(`${folder}/x`, before, known)
        yield* WholeFolder.write(`${folder}/x`, files, known)
        assert.deepStrictEqual(yield* contents(`${folder}/x`), plain(files))
        assert.deepStrictEqual(yield* fs.readDirectory(folder), ["x"])
      })
    ))

  const refused = (place: string, reason: RegExp) =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${folder}/file`, "text")
        yield* fs.makeDirectory(`${folder}/others`)
        yield* fs.writeFileString(`${folder}/others/thesis.tex`, "text")
        for (const attempt of [
          WholeFolder.write(`${folder}${place}`, files, known),
          WholeFolder.writable(`${folder}${place}`, known)
        ]) {
          const error = yield* Effect.flip(attempt)
          assert.strictEqual(error._tag, "OutputError")
          assert.match(error.reason, reason)
          assert.strictEqual(error.path, `${folder}${place}`)
        }
        assert.deepStrictEqual((yield* fs.readDirectory(folder)).sort(), ["file", "others"])
        assert.deepStrictEqual(yield* fs.readDirectory(`${folder}/others`), ["thesis.tex"])
      })
    )

  it("refuses a file in its place", () => refused("/file", /^a file of that name is in the way$/))
  it("refuses a place below a file", () => refused("/file/new", /ENOTDIR|not a directory/i))
  it("leaves a folder with other files alone", () =>
    refused("/others", /^the folder holds other files \(thesis\.tex\)$/))

  const states: ReadonlyArray<readonly [string, typeof before | undefined]> = [
    ["nothing", undefined],
    ["a folder", before]
  ]
  for (const [state, there] of states)
    for (const [how, failure] of [
      ["fails", denied],
      ["is interrupted", Effect.interrupt]
    ] as const)
      it(`changes nothing, where ${state} was there, whichever operation ${how}`, () =>
        inFolder((folder, fs) =>
          Effect.gen(function* () {
            const target = `${folder}/x`
            const old = there === undefined ? undefined : plain(there)
            for (let at = 0, done = false; !done; at++) {
              if (there !== undefined) yield* WholeFolder.write(target, there, known)
              const { asked, broken } = failing(fs, at, failure)
              const exit = yield* WholeFolder.write(target, files, known).pipe(
                Effect.provideService(FileSystem.FileSystem, broken),
                Effect.exit
              )
              done = asked.times <= at
              assert.strictEqual(Exit.isSuccess(exit), done)
              assert.deepStrictEqual(yield* contents(target), done ? plain(files) : old)
              assert.deepStrictEqual(yield* fs.readDirectory(folder), done || old !== undefined ? ["x"] : [])
              if (done) assert.strictEqual(at, there === undefined ? 5 : 6)
            }
          })
        ))

  it("says why in plain words", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const error = yield* WholeFolder.write(`${folder}/x`, files, known).pipe(
          Effect.provideService(FileSystem.FileSystem, failing(fs, 0, denied).broken),
          Effect.flip
        )
        assert.strictEqual(
          error.message,
          `cannot write ${folder}/x: permission denied; choose another folder with --out, or make this one writable`
        )
      })
    ))
})

describe("writable", () => {
  it("leaves no trace", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* WholeFolder.writable(`${folder}/x`, known)
        assert.deepStrictEqual(yield* fs.readDirectory(folder), [])
      })
    ))
})
