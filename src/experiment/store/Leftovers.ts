import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type { StoreError } from "../RunStore.ts"
import * as CellFolder from "./CellFolder.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as Lock from "./Lock.ts"
import * as Objects from "./Objects.ts"

type Files = FileSystem.FileSystem

const leftoversIn = (folder: string): Effect.Effect<ReadonlyArray<string>, StoreError, Files> =>
  Effect.map(Objects.names(folder), (names) => names.filter(Objects.isLeftover).map((name) => `${folder}/${name}`))

/** What nothing needs of a cell that nobody works on; nothing of one that somebody does, but for `own`, the lock of the one who asks. */
const unneeded = (
  cell: CellFolder.CellFolder,
  begun: boolean,
  own?: string
): Effect.Effect<ReadonlyArray<string>, StoreError, Files> =>
  Effect.gen(function* () {
    const names = (yield* Objects.names(cell.folder)).filter((name) => `${cell.folder}/${name}` !== own)
    const { live, stale } = yield* Lock.survey(cell, names, yield* Clock.currentTimeMillis)
    if (live.length > 0) return []
    const finished = names.includes("result.json")
    const checkpoints = (yield* Checkpoints.steps(cell)).map((step) => Checkpoints.fileOf(cell, step))
    const halfDone = ["metrics.ndjson", "provenance.json", "log.txt"].filter((name) => names.includes(name))
    const given = finished ? false : begun || checkpoints.length === 0
    return [
      ...(yield* leftoversIn(cell.folder)),
      ...(yield* leftoversIn(cell.checkpoints)),
      ...stale.map((name) => `${cell.folder}/${name}`),
      ...(finished || begun ? checkpoints : []),
      ...(given ? halfDone.map((name) => `${cell.folder}/${name}`) : [])
    ]
  })

/**
 * Removes what nothing needs, and names it: what ended processes were writing or held, checkpoints of finished cells, what a cell without
 * any checkpoint has left, and with `begun` the checkpoints of cells that nobody works on. A dry run only names it.
 */
export const collect = (
  store: string,
  { begun, dryRun }: { readonly begun: boolean; readonly dryRun: boolean }
): Effect.Effect<ReadonlyArray<string>, StoreError | PlatformError, Files | Path.Path> =>
  Effect.gen(function* () {
    const cells = CellFolder.cellsOf(store)
    const keys = (yield* Objects.names(cells)).filter((name) => !Objects.isLeftover(name))
    const around = [...(yield* leftoversIn(store)), ...(yield* leftoversIn(cells))]
    if (!dryRun) yield* Effect.forEach(around, Objects.remove)
    const one = (key: string) =>
      Effect.gen(function* () {
        const cell = CellFolder.of(store, key)
        const found = yield* unneeded(cell, begun)
        if (dryRun || found.length === 0) return found
        const lock = yield* Lock.acquire(cell)
        if (lock === undefined) return []
        // somebody may have worked on it in between; stale locks are gone with the lock
        const locks = found.filter((file) => Lock.isLock(file.slice(cell.folder.length + 1)))
        const still = yield* unneeded(cell, begun, lock.file)
        yield* Effect.forEach(still, Objects.remove)
        return [...new Set([...locks, ...still])]
      }).pipe(Effect.scoped)
    const removed = yield* Effect.forEach(keys, one, { concurrency: 4 })
    return [...around, ...removed.flat()]
  })
