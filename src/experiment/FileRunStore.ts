import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { type Claim, RunStore, type StoreError } from "./RunStore.ts"
import * as Audit from "./store/Audit.ts"
import * as CellFolder from "./store/CellFolder.ts"
import * as Index from "./store/Index.ts"
import * as Leftovers from "./store/Leftovers.ts"
import { writeFailed } from "./store/Objects.ts"
import * as Result from "./store/Result.ts"
import * as Work from "./store/Work.ts"

export { storeRemedy } from "./store/Objects.ts"

/**
 * A store of one folder a cell under `folder`, named by the cell's key:
 *
 * - `result.json`, what was measured, and `provenance.json`, where it came from; each with its own digest
 * - `metrics.ndjson`, one entry a line, each with its checksum; its digest is in `result.json`
 * - `checkpoints/<step>.ckpt`, while the cell is not finished; `log.txt`; `lock.<id>`, while somebody works on the cell
 *
 * `index.ndjson` beside them makes a list fast; it may be deleted at any time.
 *
 * Objects are written aside, brought to the disk and renamed, `result.json` last: at any moment a cell is finished or it is not, and a process
 * that is killed leaves nothing that another one takes for good. What was damaged gives a `StoreError` with its name; a disk that is full
 * or cannot be written gives an `OutputError`, and what was finished is kept.
 *
 * @example
 * ```ts
 * import { FileRunStore, RunStore } from "homodistil/experiment"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * const list = Effect.flatMap(RunStore, (store) => store.list)
 * const entries = await Effect.runPromise(
 *   list.pipe(Effect.provide(FileRunStore.layer("no-such-folder")), Effect.provide(NodeServices.layer))
 * )
 * assert.deepEqual(entries, [])
 * ```
 */
export const layer = (folder: string): Layer.Layer<RunStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    RunStore,
    Effect.gen(function* () {
      // only these two: the scope and the clock are the caller's
      const files = Context.make(FileSystem.FileSystem, yield* FileSystem.FileSystem).pipe(
        Context.add(Path.Path, yield* Path.Path)
      )
      const given = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>): Effect.Effect<A, E> =>
        Effect.provide(effect, files)
      const written = <A>(effect: Effect.Effect<A, StoreError | PlatformError, FileSystem.FileSystem | Path.Path>) =>
        given(Effect.catchTag(effect, "PlatformError", writeFailed(folder)))

      const index = Index.of(folder)
      const claimOf = (key: string, work: Work.Work): Claim => ({
        checkpoint: work.checkpoint,
        restart: (reason) => written(work.restart(reason)),
        save: (step, state) => written(work.save(step, state)),
        record: (entry) => written(work.record(entry)),
        log: (line) => given(work.log(line)),
        finish: (cell) => Effect.andThen(written(work.finish(cell)), given(index.add(key)))
      })

      return RunStore.of({
        get: (key) => given(Result.read(CellFolder.of(folder, key))),
        claim: (key) =>
          Work.begin(CellFolder.of(folder, key)).pipe(
            Effect.map((work) => (work === undefined ? undefined : claimOf(key, work))),
            Effect.catchTag("PlatformError", writeFailed(folder)),
            Effect.provide(files)
          ),
        list: given(index.list),
        verify: given(Audit.verify(folder)),
        collect: (o) => written(Leftovers.collect(folder, o))
      })
    })
  )
