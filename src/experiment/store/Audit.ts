import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { type Damage, StoreError } from "../RunStore.ts"
import * as CellFolder from "./CellFolder.ts"
import * as CheckedLine from "./CheckedLine.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as Lock from "./Lock.ts"
import * as Metrics from "./Metrics.ts"
import * as Objects from "./Objects.ts"
import * as Result from "./Result.ts"

type Files = FileSystem.FileSystem
type Damages = Effect.Effect<ReadonlyArray<Damage>, never, Files>

/** What an object is damaged by; what is whole or gone is not. */
const damageOf = (reading: Effect.Effect<unknown, StoreError, Files>): Damages =>
  reading.pipe(
    Effect.as([]),
    Effect.catchTag("StoreError", ({ object, reason, remedy }) => Effect.succeed([{ object, reason, remedy }]))
  )

const flaw = (cell: CellFolder.CellFolder, object: string, reason: string): StoreError =>
  new StoreError({ object, reason, remedy: CellFolder.remedy(cell) })

/** The first line whose checksum does not fit. The last one may be half of a line, while a cell is not finished. */
const wrongLine = (bytes: Uint8Array, finished: boolean): number | undefined => {
  const lines = new TextDecoder().decode(bytes).split("\n")
  const rest = lines.pop() ?? ""
  const wrong = lines.findIndex((line) => !CheckedLine.isWhole(line))
  if (wrong >= 0) return wrong + 1
  return finished && rest !== "" ? lines.length + 1 : undefined
}

/** Whether metrics are those that a cell was finished with, or that its checkpoints were made with, line by line. */
const metrics = (
  cell: CellFolder.CellFolder,
  extents: ReadonlyArray<Metrics.Extent>,
  finished: boolean
): Effect.Effect<void, StoreError, Files> =>
  Effect.gen(function* () {
    const bytes = yield* Objects.read(cell.metrics)
    if (bytes === undefined) {
      if (finished) return yield* Result.missing(cell, cell.metrics)
      const lost = extents.some((extent) => extent.bytes > 0)
      return lost ? yield* flaw(cell, cell.metrics, "it is missing, though a checkpoint was made with it") : undefined
    }
    const line = wrongLine(bytes, finished)
    if (line !== undefined) return yield* flaw(cell, cell.metrics, `its line ${line} does not match its checksum`)
    const [end] = extents
    const grown = finished && end !== undefined && bytes.length !== end.bytes
    if (grown || extents.some((extent) => Metrics.keptOf(bytes, extent) === undefined)) {
      return yield* flaw(cell, cell.metrics, "its contents do not match the digest they were kept with")
    }
  })

const stranger = (object: string): Damage => ({
  object,
  reason: "no object of a store has such a name",
  remedy: "move it elsewhere, or delete it"
})

/** Names in a folder that nothing here writes. */
const strangers = (
  folder: string,
  known: (name: string) => boolean
): Effect.Effect<ReadonlyArray<Damage>, StoreError, Files> =>
  Effect.map(Objects.names(folder), (names) =>
    names.filter((name) => !known(name) && !Objects.isLeftover(name)).map((name) => stranger(`${folder}/${name}`))
  )

const files = new Set(["result.json", "provenance.json", "metrics.ndjson", "log.txt", "checkpoints"])

const lock = (file: string): Effect.Effect<void, StoreError, Files> =>
  Effect.gen(function* () {
    const holder = yield* Lock.read(file)
    const remedy = "delete it when nobody works on the cell; collecting does it after a while"
    if (holder?._tag === "Failure") return yield* new StoreError({ object: file, reason: "it is not whole", remedy })
  })

/** Reads every object of a cell to its last byte. */
const cellDamage = (cell: CellFolder.CellFolder): Effect.Effect<ReadonlyArray<Damage>, StoreError, Files> =>
  Effect.gen(function* () {
    const damages: Array<Damage> = []
    const names = yield* Objects.names(cell.folder)
    damages.push(...(yield* strangers(cell.folder, (name) => files.has(name) || Lock.isLock(name))))
    for (const name of names.filter(Lock.isLock)) damages.push(...(yield* damageOf(lock(`${cell.folder}/${name}`))))

    const result = yield* Effect.result(Result.readResult(cell))
    damages.push(...(yield* damageOf(Effect.fromResult(result))))
    const finished = result._tag === "Failure" || result.success !== undefined
    const provenance = Effect.flatMap(Result.readProvenance(cell), (found) =>
      finished && found === undefined ? Effect.fail(Result.missing(cell, cell.provenance)) : Effect.void
    )
    damages.push(...(yield* damageOf(provenance)))

    damages.push(...(yield* strangers(cell.checkpoints, (name) => Checkpoints.stepOf(name) !== undefined)))
    const extents: Array<Metrics.Extent> = []
    for (const step of yield* Checkpoints.steps(cell)) {
      const found = yield* Effect.result(Checkpoints.read(cell, step))
      damages.push(...(yield* damageOf(Effect.fromResult(found))))
      if (found._tag === "Success" && found.success !== undefined) extents.push(found.success.metrics)
    }
    // checkpoints that a finished cell has left over say nothing about its metrics
    const kept =
      result._tag === "Success" && result.success !== undefined ? [result.success.metrics] : finished ? [] : extents
    damages.push(...(yield* damageOf(metrics(cell, kept, finished))))
    return damages
  })

/** Reads every object of a store to its last byte, and names those that are damaged or of an unknown name. */
export const verify = (store: string): Effect.Effect<ReadonlyArray<Damage>, StoreError, Files> =>
  Effect.gen(function* () {
    const folder = CellFolder.cellsOf(store)
    const keys = (yield* Objects.names(folder)).filter((name) => !Objects.isLeftover(name))
    const one = (key: string): Effect.Effect<ReadonlyArray<Damage>, StoreError, Files> => {
      const cell = CellFolder.of(store, key)
      return Effect.flatMap(Objects.isFolder(cell.folder), (is) =>
        is ? cellDamage(cell) : Effect.succeed([stranger(cell.folder)])
      )
    }
    const found = yield* Effect.forEach(keys, one, { concurrency: 4 })
    return found.flat()
  })
