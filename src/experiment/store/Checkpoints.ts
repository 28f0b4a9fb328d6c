import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { OutputFolder } from "../../spec/index.ts"
import { StoreError } from "../RunStore.ts"
import type { CellFolder } from "./CellFolder.ts"
import * as Checked from "./Checked.ts"
import * as Metrics from "./Metrics.ts"
import * as Objects from "./Objects.ts"

const Header = Schema.Struct({
  format: Schema.Literal(1),
  step: Schema.Int,
  payload: Metrics.Extent,
  /** The metrics when the checkpoint was made: they are cut back to this when a run goes on from it. */
  metrics: Metrics.Extent
})

const header = Checked.of(Header)

/** How many checkpoints stay: should the newest be damaged, there is one before it. */
const keep = 2

/** A checkpoint that is whole. */
export interface Checkpoint {
  readonly state: Uint8Array
  readonly metrics: Metrics.Extent
}

const nameOf = (step: number): string => `${step}.ckpt`

/** The step of a checkpoint's name; `undefined` for another name. */
export const stepOf = (name: string): number | undefined => {
  const step = /^(\d+)\.ckpt$/.exec(name)?.[1]
  return step === undefined ? undefined : Number(step)
}

/** The steps that have checkpoints, the newest first. */
export const steps = ({
  checkpoints
}: CellFolder): Effect.Effect<ReadonlyArray<number>, StoreError, FileSystem.FileSystem> =>
  Effect.map(Objects.names(checkpoints), (names) => names.flatMap((name) => stepOf(name) ?? []).sort((a, b) => b - a))

/** The file of a step's checkpoint. */
export const fileOf = ({ checkpoints }: CellFolder, step: number): string => `${checkpoints}/${nameOf(step)}`

/** The checkpoint of a step, or the error that names it; `undefined` when it is gone. */
export const read = (
  cell: CellFolder,
  step: number
): Effect.Effect<Checkpoint | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const object = fileOf(cell, step)
    const damaged = (reason: string) =>
      new StoreError({ object, reason, remedy: "delete it, and the run goes on from the checkpoint before it" })
    const bytes = yield* Objects.read(object)
    if (bytes === undefined) return undefined
    const end = bytes.indexOf(10) + 1
    const head = yield* Effect.mapError(header.decode(bytes.subarray(0, end)), (reason) =>
      damaged(`of its header, ${reason}`)
    )
    const state = bytes.subarray(end)
    if (head.step !== step) return yield* damaged(`it is the checkpoint of step ${head.step}`)
    const { bytes: length, sha256 } = Metrics.extentOf(state)
    if (length !== head.payload.bytes || sha256 !== head.payload.sha256) {
      return yield* damaged("its contents do not match their digest")
    }
    return { state, metrics: head.metrics }
  })

/** Keeps a checkpoint, and the one before it. */
export const write = (
  cell: CellFolder,
  step: number,
  state: Uint8Array,
  metrics: Metrics.Extent
): Effect.Effect<void, PlatformError | StoreError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    yield* OutputFolder.make(cell.checkpoints)
    const head = yield* header.encode({ format: 1, step, payload: Metrics.extentOf(state), metrics })
    yield* Objects.write(cell.checkpoints, nameOf(step), [head, state])
    const all = yield* steps(cell)
    // those of later steps are of a run that was given up
    const old = [...all.filter((other) => other > step), ...all.filter((other) => other <= step).slice(keep)]
    yield* Effect.forEach(old, (other) => Objects.remove(fileOf(cell, other)))
  })

/** Where a run goes on: the newest whole checkpoint with the metrics it was made with, and a word about each that is passed over. */
export const newest = (
  cell: CellFolder
): Effect.Effect<
  {
    readonly state?: Uint8Array
    readonly kept: Metrics.Kept
    readonly passed: ReadonlyArray<{ step: number; reason: string }>
  },
  StoreError,
  FileSystem.FileSystem
> =>
  Effect.gen(function* () {
    const passed: Array<{ step: number; reason: string }> = []
    const all = yield* steps(cell)
    const metrics = all.length === 0 ? undefined : yield* Objects.read(cell.metrics)
    for (const step of all) {
      const found = yield* Effect.result(read(cell, step))
      if (found._tag === "Failure") passed.push({ step, reason: found.failure.reason })
      else if (found.success !== undefined) {
        const kept = Metrics.keptOf(metrics ?? new Uint8Array(), found.success.metrics)
        if (kept !== undefined) return { state: found.success.state, kept, passed }
        passed.push({ step, reason: "the metrics it was made with are not there any more" })
      }
    }
    return { kept: Metrics.nothing(), passed }
  })
