import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { CellResult } from "../Cell.ts"
import type { Entry, StoreError } from "../RunStore.ts"
import * as CellFolder from "./CellFolder.ts"
import * as Checkpoints from "./Checkpoints.ts"
import * as Lock from "./Lock.ts"
import * as Metrics from "./Metrics.ts"
import * as Objects from "./Objects.ts"
import * as Result from "./Result.ts"
import * as Stamp from "./Stamp.ts"

type Files = FileSystem.FileSystem

/** What the index holds of a finished cell, and which file it read that from. */
type Line = Pick<CellResult, "key" | "spec" | "measures" | "provenance"> & {
  readonly format: 1
  readonly diverged: boolean
  /** Of all the cell's objects. */
  readonly bytes: number
  readonly result: Stamp.Stamp
}

/** The file that makes a list fast: what it says is in the cells, too, so it may be deleted at any time. */
export const fileOf = (store: string): string => `${store}/index.ndjson`

/** Its checksum says that a line is what was written here; only the format is asked. */
const isLine = (value: unknown): value is Line & { readonly crc32: string } =>
  typeof value === "object" && value !== null && "format" in value && value.format === 1

/** What an index says of each key, the last line of each; damaged lines say nothing. */
const parse = (text: string): { readonly lines: ReadonlyMap<string, Line>; readonly count: number } => {
  const texts = text.split("\n").filter((line) => line !== "")
  const lines = texts.flatMap((line) => {
    const value: unknown = Metrics.isWhole(line) ? JSON.parse(line) : undefined
    if (!isLine(value)) return []
    const { crc32: _, ...rest } = value
    return [[rest.key, rest] as const]
  })
  return { lines: new Map(lines), count: texts.length }
}

// an empty line first: half a line that a kill has left must not swallow this one
const textOf = (line: Line): string => `\n${Metrics.lineOf(line)}\n`

const sizeOf = (files: ReadonlyArray<string>): Effect.Effect<number, StoreError, Files> =>
  Effect.map(Effect.forEach(files, Objects.stat), (all) => all.reduce((sum, file) => sum + (file?.bytes ?? 0), 0))

/** The line of a cell, read from the cell itself; `undefined` when it is not finished. */
const lineOf = (cell: CellFolder.CellFolder): Effect.Effect<Line | undefined, StoreError, Files> =>
  Effect.gen(function* () {
    const result = Stamp.of(cell.result)
    const found = result === undefined ? undefined : yield* Result.read(cell)
    if (result === undefined || found === undefined) return undefined
    const { key, spec, measures, provenance, diverged } = found
    const bytes = yield* sizeOf([cell.result, cell.provenance, cell.metrics, cell.log])
    return { format: 1, key, spec, measures, provenance, diverged: diverged !== undefined, bytes, result }
  })

const append = (store: string, lines: ReadonlyArray<Line>): Effect.Effect<void, never, Files> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    fs.writeFileString(fileOf(store), lines.map(textOf).join(""), { flag: "a" })
  ).pipe(Effect.ignore)

/** Brings the index up to date: lines are added, or all are written anew when most of the `count` there are of no use. */
const keep = (store: string, used: ReadonlyArray<Line>, fresh: ReadonlyArray<Line>, count: number) => {
  if (count + fresh.length <= 2 * (used.length + fresh.length) + 64) {
    return fresh.length === 0 ? Effect.void : append(store, fresh)
  }
  const text = [...used, ...fresh].map(textOf).join("")
  return Effect.ignore(Objects.write(store, "index.ndjson", [new TextEncoder().encode(text)]))
}

/** Adds a cell that was finished just now; an index that cannot be written is done without. */
export const add = (store: string, key: string): Effect.Effect<void, never, Files> =>
  Effect.flatMap(lineOf(CellFolder.of(store, key)), (line) =>
    line === undefined ? Effect.void : append(store, [line])
  ).pipe(Effect.ignore)

/** The entry of a cell without a result; none where there is nothing to go on from. */
const unfinished = (cell: CellFolder.CellFolder, now: number): Effect.Effect<Entry | undefined, StoreError, Files> =>
  Effect.gen(function* () {
    const names = yield* Objects.names(cell.folder)
    const { live } = yield* Lock.survey(cell, names, now)
    const steps = yield* Checkpoints.steps(cell)
    if (live.length === 0 && steps.length === 0) return undefined
    const bytes = yield* sizeOf([
      cell.metrics,
      cell.provenance,
      cell.log,
      ...steps.map((step) => Checkpoints.fileOf(cell, step))
    ])
    return { key: cell.key, state: live.length > 0 ? "running" : "begun", bytes }
  })

const entryOf = ({ key, spec, measures, provenance, diverged, bytes }: Line): Entry => ({
  key,
  state: diverged ? "diverged" : "finished",
  cell: { spec, measures, provenance },
  bytes
})

/** Every cell of a store, by key. Lines that are missing in the index, or of another file than there is now, are made anew. */
export const list = (store: string): Effect.Effect<ReadonlyArray<Entry>, StoreError, Files> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const keys = (yield* Objects.names(CellFolder.cellsOf(store))).filter((name) => !Objects.isLeftover(name))
    const bytes = yield* Effect.orElseSucceed(Objects.read(fileOf(store)), () => undefined)
    const known = parse(new TextDecoder().decode(bytes))
    const used = keys.flatMap((key) => {
      const line = known.lines.get(key)
      const stamp = line && Stamp.of(CellFolder.of(store, key).result)
      return line?.result.bytes === stamp?.bytes && line?.result.time === stamp?.time && line !== undefined
        ? [line]
        : []
    })
    const fresh: Array<Line> = []
    const look = (key: string): Effect.Effect<Entry | undefined, StoreError, Files> => {
      const cell = CellFolder.of(store, key)
      return Effect.matchEffect(lineOf(cell), {
        onFailure: () => Effect.succeed<Entry>({ key, state: "damaged", bytes: Stamp.of(cell.result)?.bytes ?? 0 }),
        onSuccess: (line) => {
          if (line === undefined) return unfinished(cell, now)
          fresh.push(line)
          return Effect.succeed(entryOf(line))
        }
      })
    }
    const listed = new Set(used.map(({ key }) => key))
    const others = yield* Effect.forEach(
      keys.filter((key) => !listed.has(key)),
      look,
      { concurrency: 16 }
    )
    yield* keep(store, used, fresh, known.count)
    const entries = [...used.map(entryOf), ...others.filter((entry) => entry !== undefined)]
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1))
  })
