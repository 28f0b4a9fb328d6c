import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { JsonObject } from "../../spec/index.ts"
import type { CellResult } from "../Cell.ts"
import { StoreError } from "../RunStore.ts"
import type { CellFolder } from "./CellFolder.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as Lock from "./Lock.ts"
import * as Metrics from "./Metrics.ts"
import * as Objects from "./Objects.ts"
import * as Result from "./Result.ts"

type Files = FileSystem.FileSystem | Path.Path
type Step<A> = Effect.Effect<A, StoreError | PlatformError, Files>

/** A claim whose effects still ask for the file system. */
export interface Work {
  readonly checkpoint: Uint8Array | undefined
  readonly restart: (reason: string) => Step<void>
  readonly save: (step: number, state: Uint8Array) => Step<void>
  readonly record: (entry: JsonObject) => Step<void>
  readonly log: (line: string) => Effect.Effect<void, never, Files>
  readonly finish: (cell: CellResult) => Step<void>
}

const log = ({ log: file }: CellFolder, line: string): Effect.Effect<void, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const time = DateTime.formatIso(yield* DateTime.now)
    yield* (yield* FileSystem.FileSystem).writeFileString(file, `${time} ${line}\n`, { flag: "a" })
  }).pipe(Effect.ignore)

/** Takes away what an ended process was writing. */
const tidy = (folder: string): Step<void> =>
  Effect.flatMap(Objects.names(folder), (names) =>
    Effect.forEach(names.filter(Objects.isLeftover), (name) => Objects.remove(`${folder}/${name}`), { discard: true })
  )

/** Brings an unfinished cell to its newest whole checkpoint: metrics are cut back to it, checkpoints without use go. */
const resume = (cell: CellFolder): Step<{ readonly state?: Uint8Array; readonly kept: Metrics.Kept }> =>
  Effect.gen(function* () {
    const { passed, ...from } = yield* Checkpoints.newest(cell)
    for (const { step, reason } of passed) {
      yield* log(cell, `the checkpoint of step ${step} is passed over: ${reason}`)
      yield* Objects.remove(Checkpoints.fileOf(cell, step))
    }
    const metrics = yield* Objects.stat(cell.metrics)
    if (metrics !== undefined && metrics.bytes > from.kept.bytes) {
      yield* (yield* FileSystem.FileSystem).truncate(cell.metrics, from.kept.bytes)
    }
    return from
  })

/**
 * Work on a cell, as long as the scope; `undefined` while another process has it. A finished cell stays as it is until something is
 * kept; it is then begun anew.
 */
export const begin = (
  cell: CellFolder
): Effect.Effect<Work | undefined, StoreError | PlatformError, Files | Scope.Scope> =>
  Effect.gen(function* () {
    const lock = yield* Lock.acquire(cell)
    if (lock === undefined) return undefined
    const one = yield* Semaphore.make(1)
    const finished = (yield* Objects.stat(cell.result)) !== undefined
    yield* Effect.andThen(tidy(cell.folder), tidy(cell.checkpoints))
    const { state, kept } = finished ? { state: undefined, kept: Metrics.nothing() } : yield* resume(cell)
    const metrics = Metrics.writer(cell.metrics, kept)

    /** Does something that must not be torn apart, after the lock was seen and what was finished is no longer. */
    const writing = <A>(step: Step<A>): Step<A> =>
      Effect.gen(function* () {
        if (!(yield* lock.isHeld)) {
          const reason = "another process took the cell over while this one stood still"
          return yield* new StoreError({ object: lock.file, reason, remedy: "run again" })
        }
        if (finished) yield* Objects.remove(cell.result)
        return yield* step
      }).pipe(Effect.uninterruptible, one.withPermits(1))

    return {
      checkpoint: state,
      record: (entry) => Effect.suspend(() => (metrics.add(entry) ? writing(metrics.write) : Effect.void)),
      log: (line) => log(cell, line),
      restart: (reason) =>
        Effect.andThen(
          log(cell, `starts anew: ${reason}`),
          // a kill in between leaves metrics without a checkpoint, of which the next claim keeps nothing
          writing(Effect.andThen(Objects.remove(cell.checkpoints), metrics.clear))
        ),
      save: (step, bytes) =>
        writing(Effect.flatMap(metrics.flush, (extent) => Checkpoints.write(cell, step, bytes, extent))),
      finish: ({ provenance, ...measured }) =>
        writing(
          Effect.gen(function* () {
            const extent = yield* metrics.flush
            const from = yield* Result.provenance.encode({ key: cell.key, provenance })
            yield* Objects.write(cell.folder, "provenance.json", [from])
            const bytes = yield* Result.result.encode({ measured, metrics: extent })
            yield* Objects.write(cell.folder, "result.json", [bytes])
            // from here the cell is finished, and what is left over is taken away another time
            yield* Effect.ignore(Objects.remove(cell.checkpoints))
          })
        )
    }
  })
