import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { Entry, StoreError } from "../RunStore.ts"
import * as CellFolder from "./CellFolder.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as IndexLines from "./IndexLines.ts"
import * as Lock from "./Lock.ts"
import * as Objects from "./Objects.ts"
import * as Result from "./Result.ts"
import * as Stamp from "./Stamp.ts"

type Files = FileSystem.FileSystem

/** A file that makes a list fast: what it says is in the cells, too, so it may be deleted at any time. */
export interface Index {
  /** Adds a cell that was finished just now; an index that cannot be written is done without. */
  readonly add: (key: string) => Effect.Effect<void, never, Files>
  /** Every cell of the store, by key. What the index lacks, or has read from another file than there is now, is read from the cell. */
  readonly list: Effect.Effect<ReadonlyArray<Entry>, StoreError, Files>
}

const name = "index.ndjson"

/** How much without use an index may hold besides as much as is of use. */
const slack = 65_536

// the log is no object: what it says last is said when all else is kept
const sizeOf = (files: ReadonlyArray<string>): Effect.Effect<number, StoreError, Files> =>
  Effect.map(Effect.forEach(files, Objects.stat), (all) => all.reduce((sum, file) => sum + (file?.bytes ?? 0), 0))

/** What the index is to hold of a cell, read from the cell itself; `undefined` when it is not finished. */
const read = (cell: CellFolder.CellFolder): Effect.Effect<IndexLines.Indexed | undefined, StoreError, Files> =>
  Effect.gen(function* () {
    // before it is read: should it be replaced meanwhile, it is read again next time
    const result = Stamp.of(cell.result)
    const found = result === undefined ? undefined : yield* Result.read(cell)
    if (result === undefined || found === undefined) return undefined
    const { key, spec, measures, provenance, diverged } = found
    const bytes = yield* sizeOf([cell.result, cell.provenance, cell.metrics])
    return { key, spec, measures, provenance, diverged: diverged !== undefined, bytes, result }
  })

/** The entry of a cell without a result; none where there is nothing to go on from. */
const unfinished = (cell: CellFolder.CellFolder, now: number): Effect.Effect<Entry | undefined, StoreError, Files> =>
  Effect.gen(function* () {
    const names = yield* Objects.names(cell.folder)
    const { live } = yield* Lock.survey(cell, names, now)
    const steps = yield* Checkpoints.steps(cell)
    if (live.length === 0 && steps.length === 0) return undefined
    const checkpoints = steps.map((step) => Checkpoints.fileOf(cell, step))
    const bytes = yield* sizeOf([cell.metrics, cell.provenance, ...checkpoints])
    return { key: cell.key, state: live.length > 0 ? "running" : "begun", bytes }
  })

/** What is found where a cell's folder is: what the index is to hold of it, or the entry of one that is not whole or not finished. */
const look = (
  cell: CellFolder.CellFolder,
  now: number
): Effect.Effect<IndexLines.Indexed | Entry | undefined, StoreError, Files> =>
  Effect.matchEffect(read(cell), {
    onFailure: () =>
      Effect.succeed<Entry>({ key: cell.key, state: "damaged", bytes: Stamp.of(cell.result)?.bytes ?? 0 }),
    onSuccess: (found): ReturnType<typeof look> => (found === undefined ? unfinished(cell, now) : Effect.succeed(found))
  })

const entryOf = ({ key, spec, measures, provenance, diverged, bytes }: IndexLines.Indexed): Entry => ({
  key,
  state: diverged ? "diverged" : "finished",
  cell: { spec, measures, provenance },
  bytes
})

/** The index of a store. */
export const of = (store: string): Index => {
  const file = `${store}/${name}`
  // what cells have in common is written once by each process; where the file was replaced since, they are read anew
  const told = new Set<string>()

  const append = (cells: ReadonlyArray<IndexLines.Indexed>, known: Pick<ReadonlySet<string>, "has">) =>
    Effect.gen(function* () {
      const { text, parts } = IndexLines.encode(cells, known)
      // an empty line first: half a line that a kill has left must not swallow this one
      yield* (yield* FileSystem.FileSystem).writeFileString(file, `\n${text}`, { flag: "a" })
      for (const part of parts) told.add(part)
    })

  const replace = (cells: ReadonlyArray<IndexLines.Indexed>) =>
    Objects.write(store, name, [new TextEncoder().encode(IndexLines.encode(cells, new Set()).text)])

  const list = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const keys = (yield* Objects.names(CellFolder.cellsOf(store))).filter((key) => !Objects.isLeftover(key))
    const bytes = yield* Effect.orElseSucceed(Objects.read(file), () => undefined)
    const text = new TextDecoder().decode(bytes)
    const known = IndexLines.decode(text)
    const used = keys.flatMap((key) => {
      const line = known.cells.get(key)
      return line !== undefined && Stamp.same(line.indexed.result, Stamp.of(CellFolder.of(store, key).result))
        ? [line]
        : []
    })
    const cells = used.map(({ indexed }) => indexed)
    const listed = new Set(cells.map(({ key }) => key))
    const looked = yield* Effect.forEach(
      keys.filter((key) => !listed.has(key)),
      (key) => look(CellFolder.of(store, key), now),
      { concurrency: 16 }
    )
    const fresh = looked.flatMap((found) => (found !== undefined && "result" in found ? [found] : []))
    const useful = used.reduce((sum, { length }) => sum + length, known.partsLength)
    if (text.length > 2 * useful + slack) yield* Effect.ignore(replace([...cells, ...fresh]))
    else if (fresh.length > 0) yield* Effect.ignore(append(fresh, known.parts))
    const others = looked.flatMap((found) => (found !== undefined && "state" in found ? [found] : []))
    return [...[...cells, ...fresh].map(entryOf), ...others].sort((a, b) => (a.key < b.key ? -1 : 1))
  })

  return {
    add: (key) =>
      Effect.flatMap(read(CellFolder.of(store, key)), (found) =>
        found === undefined ? Effect.void : append([found], told)
      ).pipe(Effect.ignore),
    list
  }
}
