import { randomUUID } from "node:crypto"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import { OutputFolder } from "../../spec/index.ts"
import type { StoreError } from "../RunStore.ts"
import type { CellFolder } from "./CellFolder.ts"
import * as Checked from "./Checked.ts"
import * as Objects from "./Objects.ts"
import * as Worker from "./Worker.ts"

/** The right to write a cell. */
export interface Lock {
  readonly file: string
  /** Whether it was not taken away: a process that was stopped for long may have lost it to another machine. */
  readonly isHeld: Effect.Effect<boolean, PlatformError, FileSystem.FileSystem>
}

/** How often a holder says that it is there, and after what silence another machine may take its place. */
export const beat = { every: Duration.seconds(15), silence: Duration.minutes(2) }

/** Whether a name is that of a lock. */
export const isLock = (name: string): boolean => name.startsWith("lock.")

const Kept = Checked.of(Worker.Worker)

/** The holder of a lock, or why that cannot be told; `undefined` when the lock is gone. */
export const read = (file: string) =>
  Effect.flatMap(Objects.read(file), (bytes) =>
    bytes === undefined ? Effect.undefined : Effect.result(Kept.decode(bytes))
  )

/** Whether a lock's holder has ended: it is not asked after on another machine, but must have been silent for long. */
const isStale = (file: string, now: number): Effect.Effect<boolean, StoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const holder = yield* read(file)
    const written = yield* Objects.stat(file)
    if (holder === undefined || written === undefined) return true
    if (holder._tag === "Success" && Worker.areNear(holder.success, yield* Worker.here))
      return !(yield* Worker.lives(holder.success))
    return now - written.time > Duration.toMillis(beat.silence)
  })

/** The locks of a cell: those with somebody behind them, and the others. */
export const survey = (
  { folder }: CellFolder,
  names: ReadonlyArray<string>,
  now: number
): Effect.Effect<{ live: ReadonlyArray<string>; stale: ReadonlyArray<string> }, StoreError, FileSystem.FileSystem> =>
  Effect.map(
    Effect.forEach(names.filter(isLock), (name) =>
      Effect.map(isStale(`${folder}/${name}`, now), (stale) => ({ name, stale }))
    ),
    (locks) => ({
      live: locks.flatMap(({ name, stale }) => (stale ? [] : [name])),
      stale: locks.flatMap(({ name, stale }) => (stale ? [name] : []))
    })
  )

/**
 * One attempt: the lock is written whole, and only then the others are looked at. Of two that come at once, the later one to look
 * sees the other, so never both go on; perhaps neither does.
 */
const attempt = (
  cell: CellFolder
): Effect.Effect<Lock | undefined, StoreError | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const name = `lock.${randomUUID()}`
    const file = `${cell.folder}/${name}`
    yield* OutputFolder.make(cell.folder)
    yield* Objects.write(cell.folder, name, [yield* Kept.encode(yield* Worker.here)])
    const look = Effect.gen(function* () {
      // times of one disk are compared, not those of two machines
      const now = (yield* Objects.stat(file))?.time ?? 0
      const others = (yield* Objects.names(cell.folder)).filter((other) => other !== name)
      const { live, stale } = yield* survey(cell, others, now)
      if (live.length > 0) {
        yield* Objects.remove(file)
        return undefined
      }
      yield* Effect.forEach(stale, (other) => Objects.remove(`${cell.folder}/${other}`))
      return { file, isHeld: fs.exists(file) }
    })
    return yield* Effect.onError(look, () => Effect.ignore(Objects.remove(file)))
  }).pipe(
    // the holder tidied up while this one's lock was being written
    Effect.catchTag("PlatformError", (error) => (Objects.isAbsent(error) ? Effect.undefined : Effect.fail(error)))
  )

const attempts = 4

/** Waits a random while, so that two which met do not meet again. */
const wait: Effect.Effect<void> = Effect.suspend(() =>
  Effect.sleep(4 + (Number.parseInt(randomUUID().slice(0, 2), 16) % 40))
)

const take = (cell: CellFolder, left: number): ReturnType<typeof attempt> =>
  Effect.flatMap(attempt(cell), (lock) =>
    lock !== undefined || left <= 1 ? Effect.succeed(lock) : Effect.andThen(wait, take(cell, left - 1))
  )

/**
 * The lock of a cell, as long as the scope and as the process; `undefined` while somebody else has it. One holder at a time among
 * the processes of a machine, and among machines as far as their disk shows each what the others wrote.
 */
export const acquire = (
  cell: CellFolder
): Effect.Effect<Lock | undefined, StoreError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const lock = yield* Effect.acquireRelease(take(cell, attempts), (held) =>
      held === undefined ? Effect.void : Effect.ignore(Objects.remove(held.file))
    )
    if (lock === undefined) return undefined
    const bytes = yield* Kept.encode(yield* Worker.here)
    // written over, so that the time is the disk's, not this machine's; a lock that was taken away is not made again
    const touch = fs.writeFile(lock.file, bytes, { flag: "r+" })
    yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(beat.every), Effect.ignore(touch))))
    return lock
  })
