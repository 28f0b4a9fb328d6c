import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { OutputError, outputError, OutputFolder, outputRemedy } from "../spec/index.ts"

/** The bytes of a folder's files, each whole or in parts that follow one another; a name may lead into a folder of it, as `onnx/model.onnx`. */
export type Files = { readonly [name: string]: Uint8Array | ReadonlyArray<Uint8Array> }

/**
 * Writes a folder that is whole or not there: its files are written aside and the folder is renamed into place.
 *
 * A folder that is already there is replaced when it holds none but `known` files, and otherwise left alone. Fails with
 * `OutputError`; then, and after an interruption, what was there before is still there.
 */
export const write = (
  folder: string,
  files: Files,
  known: ReadonlyArray<string>
): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { target, aside, replaces } = yield* prepare(folder, known)
    const [fresh, old] = [path.join(aside, "new"), path.join(aside, "old")]
    yield* fs.makeDirectory(fresh)
    for (const [name, bytes] of Object.entries(files)) {
      const [first, ...rest] = bytes instanceof Uint8Array ? [bytes] : bytes
      const file = path.join(fresh, name)
      yield* OutputFolder.make(path.dirname(file))
      yield* fs.writeFile(file, first ?? new Uint8Array(0))
      for (const part of rest) yield* fs.writeFile(file, part, { flag: "a" })
    }
    const place = fs.rename(fresh, target)
    const restore = Effect.ignore(fs.rename(old, target))
    yield* Effect.uninterruptible(
      replaces
        ? Effect.andThen(
            fs.rename(target, old),
            Effect.onError(place, () => restore)
          )
        : place
    )
  }).pipe(outputErrors(folder))

/** Finds out whether `write` could write there. Fails with `OutputError` if not. */
export const writable = (
  folder: string,
  known: ReadonlyArray<string>
): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  Effect.asVoid(prepare(folder, known)).pipe(outputErrors(folder))

const outputErrors =
  (folder: string) =>
  <A, R>(effect: Effect.Effect<A, OutputError | PlatformError, R>) =>
    Effect.catchTag(Effect.scoped(effect), "PlatformError", (error) => Effect.fail(outputError(folder, error)))

/** A place beside the folder to write to, gone when the scope closes, and whether there is a folder to replace. */
const prepare = Effect.fnUntraced(function* (folder: string, known: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const target = path.resolve(folder)
  const refuse = (reason: string) => new OutputError({ path: folder, reason, remedy: outputRemedy })
  yield* OutputFolder.make(path.dirname(target))
  const kind = yield* OutputFolder.kindOf(target)
  if (kind !== undefined && kind !== "Directory") return yield* refuse("a file of that name is in the way")
  const folders = [...new Set(known.flatMap((name) => name.split("/").slice(0, -1)))]
  const inside = (folder: string) =>
    Effect.map(fs.readDirectory(path.join(target, folder)), (names) => names.map((name) => `${folder}${name}`))
  const found = kind === undefined ? [] : yield* inside("")
  const deeper = yield* Effect.forEach(
    folders.filter((name) => found.includes(name)),
    (name) => inside(`${name}/`)
  )
  const others = [...found, ...deeper.flat()].filter((name) => !known.includes(name) && !folders.includes(name))
  if (others.length > 0) return yield* refuse(`the folder holds other files (${others.slice(0, 3).join(", ")})`)
  const aside = yield* fs.makeTempDirectoryScoped({ directory: path.dirname(target), prefix: ".checkpoint-" })
  return { target, aside, replaces: kind === "Directory" }
})
