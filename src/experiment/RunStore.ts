import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type { OutputError } from "../spec/index.ts"
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

/** What a store of cells offers. */
export interface RunStoreShape {
  /** The cell of a key; `undefined` when it has not been run. */
  readonly get: (key: string) => Effect.Effect<CellResult | undefined, StoreError>
  readonly put: (cell: CellResult) => Effect.Effect<void, StoreError | OutputError>
}

/** Where finished cells are kept, by the digest of their specs. */
export class RunStore extends Context.Service<RunStore, RunStoreShape>()("homodistil/RunStore") {}

/** A store that lasts as long as the process. */
export const layerMemory: Layer.Layer<RunStore> = Layer.effect(
  RunStore,
  Effect.map(Ref.make<ReadonlyMap<string, CellResult>>(new Map()), (cells) =>
    RunStore.of({
      get: (key) => Effect.map(Ref.get(cells), (map) => map.get(key)),
      put: (cell) => Ref.update(cells, (map) => new Map(map).set(cell.key, cell))
    })
  )
)
