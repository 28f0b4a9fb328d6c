import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { Digest } from "../../spec/index.ts"
import { type CellResult, Measured, Provenance } from "../Cell.ts"
import { StoreError } from "../RunStore.ts"
import { type CellFolder, remedy } from "./CellFolder.ts"
import * as Checked from "./Checked.ts"
import { Extent } from "./Metrics.ts"
import * as Objects from "./Objects.ts"

/** What was measured in a cell, and the metrics it was finished with. */
const Result = Schema.Struct({ measured: Measured, metrics: Extent })

/** What was measured in a cell, and the metrics it was finished with. */
export type Result = typeof Result.Type

/** The bytes of `result.json`: they depend on what was measured and on nothing else. */
export const result = Checked.of(Result)

/** The bytes of `provenance.json`: with the key, so that it is not taken for another cell's. */
export const provenance = Checked.of(Schema.Struct({ key: Schema.String, provenance: Provenance }))

/** Reads one object of a cell, as damaged when it is another cell's. */
const whole = <A>(
  cell: CellFolder,
  object: string,
  { decode }: Checked.Checked<A>,
  keyOf: (value: A) => string
): Effect.Effect<A | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const damaged = (reason: string) => new StoreError({ object, reason, remedy: remedy(cell) })
    const bytes = yield* Objects.read(object)
    if (bytes === undefined) return undefined
    const value = yield* Effect.mapError(decode(bytes), damaged)
    const key = keyOf(value)
    return key === cell.key ? value : yield* damaged(`it is of the cell ${Digest.short(key)}`)
  })

/** What was measured in a cell; `undefined` when it is not finished. */
export const readResult = (cell: CellFolder): Effect.Effect<Result | undefined, StoreError, FileSystem.FileSystem> =>
  whole(cell, cell.result, result, ({ measured }) => measured.key)

/** Where a cell's numbers came from; `undefined` when that was not written yet. */
export const readProvenance = (
  cell: CellFolder
): Effect.Effect<Provenance | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.map(
    whole(cell, cell.provenance, provenance, ({ key }) => key),
    (found) => found?.provenance
  )

/** The error of a finished cell that lacks an object. */
export const missing = (cell: CellFolder, object: string): StoreError =>
  new StoreError({ object, reason: "it is missing, though the cell is finished", remedy: remedy(cell) })

/** A finished cell, its metrics by their size only; `undefined` when it is not finished. */
export const read = (cell: CellFolder): Effect.Effect<CellResult | undefined, StoreError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const found = yield* readResult(cell)
    if (found === undefined) return undefined
    const from = yield* readProvenance(cell)
    if (from === undefined) return yield* missing(cell, cell.provenance)
    const metrics = yield* Objects.stat(cell.metrics)
    if (metrics === undefined) return yield* missing(cell, cell.metrics)
    const { bytes } = found.metrics
    if (metrics.bytes !== bytes) {
      const reason = `it has ${metrics.bytes} bytes, not the ${bytes} that the cell was finished with`
      return yield* new StoreError({ object: cell.metrics, reason, remedy: remedy(cell) })
    }
    return { ...found.measured, provenance: from }
  })
