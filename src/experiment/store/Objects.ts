import { randomUUID } from "node:crypto"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import { OutputError, outputError } from "../../spec/index.ts"
import { StoreError } from "../RunStore.ts"

/** What to do about a store that cannot be written. */
export const storeRemedy = "choose another folder with --store, or make this one writable"

const roomRemedy = "make room, or choose another folder with --store; what is finished is kept"

const problems: { readonly [code: string]: readonly [reason: string, remedy: string] } = {
  ENOSPC: ["the disk is full", roomRemedy],
  EDQUOT: ["the disk quota is used up", roomRemedy],
  EROFS: ["the file system is read-only", storeRemedy]
}

const codeOf = ({ reason }: PlatformError): string =>
  reason.cause instanceof Error && "code" in reason.cause ? String(reason.cause.code) : ""

/** The output error of a store that could not be written. */
export const writeFailed = (store: string) => (error: PlatformError) => {
  const [reason, remedy] = problems[codeOf(error)] ?? [outputError(store, error).reason, storeRemedy]
  return Effect.fail(new OutputError({ path: store, reason, remedy }))
}

/** The store error of an object that could not be read. */
export const readFailed = (object: string) => (error: PlatformError) =>
  Effect.fail(new StoreError({ object, reason: outputError(object, error).reason, remedy: "make it readable" }))

/** Whether an operation failed because nothing is there. */
export const isAbsent = ({ reason }: PlatformError): boolean => reason._tag === "NotFound"

const ifThere = <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A | undefined, PlatformError, R> =>
  Effect.catchTag(effect, "PlatformError", (error) =>
    // a file in a folder's place holds nothing
    isAbsent(error) || codeOf(error) === "ENOTDIR" ? Effect.undefined : Effect.fail(error)
  )

/** The bytes of an object; `undefined` where there is none. */
export const read = (file: string): Effect.Effect<Uint8Array | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => ifThere(fs.readFile(file))).pipe(
    Effect.catchTag("PlatformError", readFailed(file))
  )

/** The size of an object in bytes, and when it was last written in milliseconds; `undefined` where there is none. */
export const stat = (
  file: string
): Effect.Effect<{ readonly bytes: number; readonly time: number } | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => ifThere(fs.stat(file))).pipe(
    Effect.map((info) =>
      info === undefined
        ? undefined
        : {
            bytes: Number(info.size),
            time: Option.match(info.mtime, { onNone: () => 0, onSome: (at) => at.getTime() })
          }
    ),
    Effect.catchTag("PlatformError", readFailed(file))
  )

/** The names in a folder, sorted; none where there is no folder. */
export const names = (folder: string): Effect.Effect<ReadonlyArray<string>, StoreError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => ifThere(fs.readDirectory(folder))).pipe(
    Effect.map((found) => (found ?? []).toSorted()),
    Effect.catchTag("PlatformError", readFailed(folder))
  )

/** Whether a folder stands somewhere. */
export const isFolder = (path: string): Effect.Effect<boolean, StoreError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => ifThere(fs.stat(path))).pipe(
    Effect.map((info) => info?.type === "Directory"),
    Effect.catchTag("PlatformError", readFailed(path))
  )

/** Removes an object or a folder, if it is there. */
export const remove = (file: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.remove(file, { recursive: true, force: true }))

const prefix = ".writing-"

/** Whether a name is that of an object which was being written when its process ended. */
export const isLeftover = (name: string): boolean => name.startsWith(prefix)

/** Brings a folder's names to the disk, where the system can: what was renamed into it is there after a power cut. */
export const syncFolder = (folder: string): Effect.Effect<void, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (file) => file.sync))
  ).pipe(Effect.ignore)

/**
 * Writes an object aside, brings it to the disk, and renames it: it is whole or what it was before.
 * Where that fails, what was written aside is taken away.
 */
export const write = (
  folder: string,
  name: string,
  parts: ReadonlyArray<Uint8Array>
): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const aside = `${folder}/${prefix}${randomUUID()}`
    const whole = Effect.gen(function* () {
      const file = yield* fs.open(aside, { flag: "wx" })
      for (const part of parts) if (part.length > 0) yield* file.writeAll(part)
      yield* file.sync
    })
    yield* Effect.scoped(whole).pipe(
      Effect.andThen(fs.rename(aside, `${folder}/${name}`)),
      Effect.onError(() => Effect.ignore(remove(aside)))
    )
    yield* syncFolder(folder)
  })
