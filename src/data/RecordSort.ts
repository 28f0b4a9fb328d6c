import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * Sorts records of one width by their bytes, as many as come.
 *
 * `add` takes a copy of a record; `sorted` gives all of them in rising order, several in each block of bytes, once the last has been added.
 * With a folder, no more than `room` of them are in memory: the others lie in a file there, in runs that are merged at the end.
 */
export interface RecordSort {
  readonly add: (record: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  readonly sorted: Stream.Stream<Uint8Array, PlatformError.PlatformError>
}

/** Records of a sorted run that are read at once, and those of a block that comes out. */
const [runRecords, blockRecords] = [256, 4096]

/** Records in memory, in order of arrival; they are copied into order. */
const inOrder = (records: Buffer, width: number): Buffer => {
  const count = records.length / width
  // most records differ in their first four bytes, and numbers are compared faster
  const keys = Uint32Array.from({ length: count }, (_, i) => (width < 4 ? 0 : records.readUInt32BE(i * width)))
  const order = Uint32Array.from(keys, (_, i) => i).sort(
    (a, b) =>
      (keys[a] ?? 0) - (keys[b] ?? 0) ||
      records.compare(records, b * width, (b + 1) * width, a * width, (a + 1) * width)
  )
  const sorted = Buffer.alloc(records.length)
  order.forEach((from, to) => records.copy(sorted, to * width, from * width, (from + 1) * width))
  return sorted
}

/** A sorted run while it is merged: the records of `block` from `at` on, then those of the file between `next` and `end`. */
interface Run {
  block: Buffer
  at: number
  next: number
  readonly end: number
}

/** Moves the first of a heap of runs to its place; the run with the least record is to come first. */
const sink = (heap: Array<Run>, width: number): void => {
  const less = (a: Run, b: Run) => a.block.compare(b.block, b.at, b.at + width, a.at, a.at + width) < 0
  let place = 0
  for (;;) {
    const [left, right] = [2 * place + 1, 2 * place + 2]
    let least = place
    for (const child of [left, right]) {
      const [one, other] = [heap[child], heap[least]]
      if (one !== undefined && other !== undefined && less(one, other)) least = child
    }
    const [moved, up] = [heap[place], heap[least]]
    if (least === place || moved === undefined || up === undefined) return
    heap[place] = up
    heap[least] = moved
    place = least
  }
}

const cutShort = PlatformError.systemError({
  _tag: "UnexpectedEof",
  module: "FileSystem",
  method: "read",
  description: "a file of records to sort became shorter"
})

/** Reads a run's next records; whether there were any. */
const refill = (run: Run, file: FileSystem.File | undefined, width: number) =>
  Effect.gen(function* () {
    const length = Math.min(run.end - run.next, runRecords * width)
    if (length === 0 || file === undefined) return false
    const block = Buffer.alloc(length)
    let read = 0
    while (read < length) {
      const more = yield* file.read(block.subarray(read), { position: BigInt(run.next + read) })
      if (more === 0) return yield* Effect.fail(cutShort)
      read += more
    }
    run.block = block
    run.at = 0
    run.next += length
    return true
  })

/** The records of sorted runs in order, in blocks. */
const merged = (runs: ReadonlyArray<Run>, file: FileSystem.File | undefined, width: number) => {
  const heap: Array<Run> = []
  const start = Effect.gen(function* () {
    for (const run of runs) {
      if (run.at === run.block.length && !(yield* refill(run, file, width))) continue
      heap.push(run)
    }
    // a sorted list is a heap
    heap.sort((a, b) => a.block.compare(b.block, b.at, b.at + width, a.at, a.at + width))
  })
  const next = Effect.gen(function* () {
    const block = Buffer.alloc(blockRecords * width)
    let filled = 0
    for (let run = heap[0]; run !== undefined && filled < block.length; run = heap[0]) {
      run.block.copy(block, filled, run.at, run.at + width)
      filled += width
      run.at += width
      if (run.at === run.block.length && !(yield* refill(run, file, width))) {
        const last = heap.pop()
        if (last !== undefined && heap.length > 0) heap[0] = last
      }
      sink(heap, width)
    }
    return filled === 0 ? undefined : ([block.subarray(0, filled), undefined] as const)
  })
  return Stream.unwrap(
    Effect.as(
      start,
      Stream.unfold(undefined, () => next)
    )
  )
}

/**
 * A sort of records of `width` bytes, in a file of `folder` that goes with the scope, or without a folder in memory. `room` records are kept
 * in memory (65,536 unless given); merging holds 256 of each such run, which is a 256th of all.
 *
 * Fails as the disk does.
 *
 * @example
 * ```ts
 * import { RecordSort } from "homodistil/data"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * const program = Effect.gen(function* () {
 *   const sort = yield* RecordSort.make({ width: 2 })
 *   for (const record of [[3, 1], [1, 2], [1, 1]]) yield* sort.add(Uint8Array.from(record))
 *   return (yield* Stream.runCollect(sort.sorted)).flatMap((block) => [...block])
 * })
 * const sorted = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepEqual(sorted, [1, 1, 1, 2, 3, 1])
 * ```
 */
export const make = (options: {
  readonly width: number
  readonly folder?: string | undefined
  readonly room?: number
}): Effect.Effect<RecordSort, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const { width, folder, room = 1 << 16 } = options
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    let file: FileSystem.File | undefined
    let records = Buffer.alloc(room * width)
    let [filled, written] = [0, 0]
    const runs: Array<Run> = []
    const spill =
      folder === undefined
        ? Effect.sync(() => {
            records = Buffer.concat([records], 2 * records.length)
          })
        : Effect.gen(function* () {
            file ??= yield* scratch(folder)
            yield* file.writeAll(inOrder(records, width))
            runs.push({ block: Buffer.alloc(0), at: 0, next: written, end: written + filled })
            written += filled
            filled = 0
          })
    const scope = yield* Effect.scope
    const scratch = (within: string) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(within, { recursive: true })
        const own = yield* fs.makeTempDirectoryScoped({ directory: within, prefix: "sorting-" })
        return yield* fs.open(path.join(own, "records"), { flag: "w+" })
      }).pipe(Effect.provideService(Scope.Scope, scope))
    const put = (record: Uint8Array) => {
      records.set(record, filled)
      filled += width
    }
    return {
      add: (record) =>
        filled < records.length
          ? Effect.sync(() => put(record))
          : Effect.andThen(
              spill,
              Effect.sync(() => put(record))
            ),
      sorted: Stream.suspend(() => {
        const last = { block: inOrder(records.subarray(0, filled), width), at: 0, next: 0, end: 0 }
        return merged([...runs.map((run) => ({ ...run })), last], file, width)
      })
    }
  })
