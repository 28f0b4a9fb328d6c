import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { type PlatformError, systemError } from "effect/PlatformError"
import { FileRunStore, type RunStore } from "homodistil/experiment"

/** What an effect on a store in a folder may ask for. */
export type Needs = RunStore | NodeServices.NodeServices

/** Runs on the store of a new folder, or of a given one. */
export const inFolder = <A, E>(use: (folder: string) => Effect.Effect<A, E, Needs>, given?: string): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = given ?? `${yield* fs.makeTempDirectoryScoped()}/runs`
      return yield* use(folder).pipe(Effect.provide(FileRunStore.layer(folder)))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

/** Says before each change of a disk whether it may happen: as a whole, in its first half, or not at all. */
export type Gate = () => "whole" | "half" | "none"

const refusal = (code: string, text: string): PlatformError =>
  systemError({
    _tag: "Unknown",
    module: "FileSystem",
    method: "write",
    cause: Object.assign(new Error(`${code}: ${text}, write`), { code })
  })

/** The real file system behind a gate; `reads` of a process that has ended fail, too. */
const gated = (fs: FileSystem.FileSystem, gate: Gate, error: PlatformError): FileSystem.FileSystem => {
  const change = <A, R>(whole: Effect.Effect<A, PlatformError, R>, half?: Effect.Effect<unknown, PlatformError, R>) =>
    Effect.suspend((): Effect.Effect<A, PlatformError, R> => {
      const how = gate()
      if (how === "whole") return whole
      const begun = how === "half" && half !== undefined ? half : Effect.void
      return Effect.andThen(begun, Effect.fail(error))
    })
  const fileOf = (file: FileSystem.File): FileSystem.File => ({
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: file.stat,
    seek: (offset, from) => file.seek(offset, from),
    read: (buffer, options) => file.read(buffer, options),
    readAlloc: (size, options) => file.readAlloc(size, options),
    sync: change(file.sync),
    truncate: (length) => change(file.truncate(length)),
    write: (bytes) => change(file.write(bytes)),
    writeAll: (bytes) => change(file.writeAll(bytes), file.writeAll(bytes.subarray(0, bytes.length / 2)))
  })
  return FileSystem.make({
    ...fs,
    open: (path, options) => {
      const open = Effect.map(fs.open(path, options), fileOf)
      return (options?.flag ?? "r") === "r" ? open : change(open)
    },
    writeFile: (path, data, options) =>
      change(fs.writeFile(path, data, options), fs.writeFile(path, data.subarray(0, data.length / 2), options)),
    rename: (from, to) => change(fs.rename(from, to)),
    remove: (path, options) => change(fs.remove(path, options)),
    makeDirectory: (path, options) => change(fs.makeDirectory(path, options)),
    truncate: (path, length) => change(fs.truncate(path, length)),
    utimes: (path, atime, mtime) => change(fs.utimes(path, atime, mtime))
  })
}

/** The store of a folder, as a process of its own sees it: processes are told apart by when they were started. */
export const processStore = (
  folder: string,
  o: { readonly started: number; readonly gate?: Gate; readonly code?: string; readonly text?: string }
): Layer.Layer<RunStore, never, NodeServices.NodeServices> => {
  const files = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => {
      const own = `/proc/${process.pid}/stat`
      const told = `${process.pid} (node) R ${"0 ".repeat(18)}${o.started} 0`
      const named = FileSystem.make({
        ...fs,
        readFile: (path) => (path === own ? Effect.succeed(new TextEncoder().encode(told)) : fs.readFile(path))
      })
      return o.gate === undefined
        ? named
        : gated(named, o.gate, refusal(o.code ?? "EIO", o.text ?? "the process has ended"))
    })
  )
  return FileRunStore.layer(folder).pipe(Layer.provide(files))
}

/** A gate that lets `n` changes through, and breaks the next in the middle. */
export const closesAfter = (n: number): { readonly gate: Gate; readonly closed: () => boolean } => {
  let left = n
  return {
    gate: () => {
      left -= 1
      return left >= 0 ? "whole" : left === -1 ? "half" : "none"
    },
    closed: () => left < 0
  }
}

/** All files under a folder, by their path in it, sorted. */
export const filesIn = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = (yield* fs.readDirectory(folder, { recursive: true })).toSorted()
    const kinds = yield* Effect.forEach(names, (name) => fs.stat(`${folder}/${name}`))
    return names.filter((_, i) => kinds[i]?.type === "File")
  })
