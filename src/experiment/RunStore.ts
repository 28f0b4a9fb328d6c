import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { JsonObject, OutputError } from "../spec/index.ts"
import type { CellResult } from "./Cell.ts"

/** A kept cell that cannot be read: it is named, never taken for a good one. */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  object: Schema.String,
  reason: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.object} cannot be used: ${this.reason}; ${this.remedy}`
  }
}

/** The right to work on a cell: one writer has it at a time, as long as its scope, and it ends with the process. */
export interface Claim {
  /** The newest whole checkpoint of a run that was begun before; a damaged one is passed over, and the log says so. */
  readonly checkpoint: Uint8Array | undefined
  /** Drops checkpoints and metrics, for a run whose checkpoint is of no use to it; the log says so, with the reason. */
  readonly restart: (reason: string) => Effect.Effect<void, StoreError | OutputError>
  /** Keeps a checkpoint; the newest two stay. What was recorded before it is kept with it, what comes after it is lost with it. */
  readonly save: (step: number, state: Uint8Array) => Effect.Effect<void, StoreError | OutputError>
  /** Adds a line to the cell's metrics. */
  readonly record: (entry: JsonObject) => Effect.Effect<void, StoreError | OutputError>
  /** Adds a line to the cell's log, which nothing is read from. */
  readonly log: (line: string) => Effect.Effect<void>
  /** Keeps the result; checkpoints go. */
  readonly finish: (cell: CellResult) => Effect.Effect<void, StoreError | OutputError>
}

/** A claim on a cell that is kept nowhere. */
export const unkept: Claim = {
  checkpoint: undefined,
  restart: () => Effect.void,
  save: () => Effect.void,
  record: () => Effect.void,
  log: () => Effect.void,
  finish: () => Effect.void
}

/** A cell of a store, as a list shows it. */
export interface Entry {
  readonly key: string
  /** `begun` has a checkpoint and nobody at work, `running` has somebody, `damaged` is what `verify` has more to say about. */
  readonly state: "finished" | "diverged" | "begun" | "running" | "damaged"
  /** What a finished cell holds besides its curves. What many of them have in common may be one object. */
  readonly cell?: Pick<CellResult, "spec" | "measures" | "provenance">
  /** Of its objects, without the log. */
  readonly bytes: number
}

/** An object of a store that is not what was written. */
export interface Damage {
  readonly object: string
  readonly reason: string
  readonly remedy: string
}

/** What a store of cells offers. */
export interface RunStoreShape {
  /** The cell of a key; `undefined` when it is not finished. */
  readonly get: (key: string) => Effect.Effect<CellResult | undefined, StoreError>
  /** The claim on a cell; `undefined` while another one works on it. Whether the cell is finished must be asked again after that. */
  readonly claim: (key: string) => Effect.Effect<Claim | undefined, StoreError | OutputError, Scope.Scope>
  /** Every cell, by key. */
  readonly list: Effect.Effect<ReadonlyArray<Entry>, StoreError>
  /** Reads every object to its last byte, and names those that are damaged. */
  readonly verify: Effect.Effect<ReadonlyArray<Damage>, StoreError>
  /** Removes what nothing needs (begun cells only where `begun` is set), and names it. */
  readonly collect: (o: {
    readonly begun: boolean
    readonly dryRun: boolean
  }) => Effect.Effect<ReadonlyArray<string>, StoreError | OutputError>
}

/** Where cells are kept, by the digest of their specs. */
export class RunStore extends Context.Service<RunStore, RunStoreShape>()("homodistil/RunStore") {}

/** Begins a cell that is already known and keeps it: for results that come from elsewhere. */
export const put = (cell: CellResult): Effect.Effect<void, StoreError | OutputError, RunStore> =>
  Effect.gen(function* () {
    const claim = yield* (yield* RunStore).claim(cell.key)
    if (claim !== undefined) yield* claim.finish(cell)
  }).pipe(Effect.scoped)

/** A store that lasts as long as the process. */
export const layerMemory: Layer.Layer<RunStore> = Layer.effect(
  RunStore,
  Effect.sync(() => {
    const finished = new Map<string, CellResult>()
    const checkpoints = new Map<string, Uint8Array>()
    const claimed = new Set<string>()
    const claim = (key: string) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          if (claimed.has(key)) return undefined
          claimed.add(key)
          return key
        }),
        (own) => Effect.sync(() => own !== undefined && claimed.delete(own))
      ).pipe(
        Effect.map((own): Claim | undefined =>
          own === undefined
            ? undefined
            : {
                checkpoint: checkpoints.get(key),
                restart: () => Effect.sync(() => void checkpoints.delete(key)),
                save: (_, state) => Effect.sync(() => void checkpoints.set(key, state)),
                record: () => Effect.void,
                log: () => Effect.void,
                finish: (cell) =>
                  Effect.sync(() => {
                    finished.set(key, cell)
                    checkpoints.delete(key)
                  })
              }
        )
      )
    const entryOf = (key: string): Entry => {
      const cell = finished.get(key)
      if (cell === undefined) return { key, state: claimed.has(key) ? "running" : "begun", bytes: 0 }
      return { key, state: cell.diverged === undefined ? "finished" : "diverged", cell, bytes: 0 }
    }
    return RunStore.of({
      get: (key) => Effect.sync(() => finished.get(key)),
      claim,
      list: Effect.sync(() =>
        [...new Set([...finished.keys(), ...checkpoints.keys(), ...claimed])].sort().map(entryOf)
      ),
      verify: Effect.succeed([]),
      collect: ({ begun, dryRun }) =>
        Effect.sync(() => {
          const gone = begun ? [...checkpoints.keys()].filter((key) => !claimed.has(key)) : []
          if (!dryRun) gone.forEach((key) => checkpoints.delete(key))
          return gone
        })
    })
  })
)
