import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/** What stands at a path; `undefined` where nothing does. Fails where that cannot be found out. */
export const kindOf = (
  path: string
): Effect.Effect<FileSystem.File.Type | undefined, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(path)).pipe(
    Effect.map((info): FileSystem.File.Type | undefined => info.type),
    Effect.catchTag("PlatformError", (error) => {
      const { _tag: kind } = error.reason
      return kind === "NotFound" ? Effect.undefined : Effect.fail(error)
    })
  )

/**
 * Makes a folder and the folders it is in, one by one: Node's own recursion does not end where a file system refuses folders,
 * as the one for processes does.
 *
 * @example
 * ```ts
 * import { OutputFolder } from "homodistil/spec"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * const error = await Effect.runPromise(
 *   OutputFolder.make("package.json/results").pipe(Effect.flip, Effect.provide(NodeServices.layer))
 * )
 * assert.equal(error._tag, "PlatformError") // package.json is no folder
 * ```
 */
export const make = (folder: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    if ((yield* kindOf(folder)) !== undefined) return
    const fs = yield* FileSystem.FileSystem
    const parent = (yield* Path.Path).dirname(folder)
    if (parent !== folder) yield* make(parent)
    yield* fs.makeDirectory(folder).pipe(
      // another process may have made it meanwhile
      Effect.catchTag("PlatformError", (error) =>
        Effect.flatMap(kindOf(folder), (kind) => (kind === "Directory" ? Effect.void : Effect.fail(error)))
      )
    )
  })
