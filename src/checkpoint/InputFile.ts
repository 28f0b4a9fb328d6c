import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { CheckpointError } from "./CheckpointError.ts"

/** That a file cannot be used, and what to do. */
export const unusable = (
  file: string,
  reason: string,
  remedy = "make it a readable file, or give another folder"
): CheckpointError => new CheckpointError({ file, problems: [{ reason }], remedy })

/** Whether something stands at a path. */
export const exists = (file: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.orElseSucceed(fs.exists(file), () => false))

const failed = (file: string) =>
  Effect.mapError((error: { readonly reason: { readonly _tag: string } }) =>
    unusable(file, `cannot be read (${error.reason._tag})`)
  )

/**
 * The size of a file in bytes. Fails with `CheckpointError` where it cannot be read or is no file: opening a pipe would wait for ever,
 * and a device never ends.
 */
export const size = (file: string): Effect.Effect<number, CheckpointError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { type, size } = yield* failed(file)(fs.stat(file))
    return type === "File" ? Number(size) : yield* unusable(file, `cannot be read (${type})`)
  })

/** The bytes of a small file, one of at most `limit` bytes. Fails with `CheckpointError` where it cannot be read or is larger. */
export const read = (
  file: string,
  limit: number = 2 ** 19
): Effect.Effect<Uint8Array, CheckpointError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const bytes = yield* size(file)
    if (bytes > limit) return yield* unusable(file, `has ${bytes} bytes, above the ${limit} that are read`)
    return yield* failed(file)(fs.readFile(file))
  })

/** A file that is open for reading at any place, and its size in bytes. */
export interface Opened {
  readonly size: number
  /** Fills the buffer with the file's bytes from `position` on. Fails with `CheckpointError` where there are not that many. */
  readonly into: (buffer: Uint8Array, position: number) => Effect.Effect<void, CheckpointError>
}

/** Opens a file for as long as the scope. Fails with `CheckpointError` where it cannot be read. */
export const open = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* size(file)
  const handle = yield* failed(file)(fs.open(file, { flag: "r" }))
  const into: Opened["into"] = (buffer, position) =>
    Effect.gen(function* () {
      let at = 0
      while (at < buffer.length) {
        const more = yield* failed(file)(
          handle.read(buffer.subarray(at, at + piece), { position: BigInt(position + at) })
        )
        if (more === 0) return yield* unusable(file, `ends at byte ${position + at} while it is read`)
        at += more
      }
    })
  const opened: Opened = { size: bytes, into }
  return opened
})

/** As many bytes are asked for at once: no system reads more than 2 GiB. */
const piece = 2 ** 28
