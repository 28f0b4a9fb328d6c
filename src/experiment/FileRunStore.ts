import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { Digest, outputError, OutputFolder } from "../spec/index.ts"
import { CellResult } from "./Cell.ts"
import { RunStore, StoreError } from "./RunStore.ts"

/** A cell with the digest of its own text, so that a damaged file is noticed. */
const Kept = Schema.Struct({ digest: Schema.String, cell: CellResult })

const remedy = "delete the file, and the cell is run again"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Kept))
const encode = Schema.encodeEffect(CellResult)

const digestOf = (cell: CellResult) => Effect.map(encode(cell), (json) => Digest.of(json))

/**
 * A store of one JSON file a cell under `folder`, named by the cell's key; written aside and renamed, so a file is whole or absent.
 *
 * A file that was damaged, or stands under another cell's name, gives a `StoreError` with its name.
 */
export const layer = (folder: string): Layer.Layer<RunStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    RunStore,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const fileOf = (key: string): string => path.join(folder, "cells", `${key}.json`)

      const get = (key: string) =>
        Effect.gen(function* () {
          const object = fileOf(key)
          const broken = (reason: string) => new StoreError({ object, reason, remedy })
          if (!(yield* fs.exists(object))) return undefined
          const text = yield* fs.readFileString(object)
          const kept = yield* decode(text).pipe(Effect.mapError(() => broken("it is not a whole cell")))
          const digest = yield* digestOf(kept.cell).pipe(Effect.mapError(() => broken("it is not a whole cell")))
          if (digest !== kept.digest) return yield* broken("its contents do not match their digest")
          if (kept.cell.key !== key) return yield* broken(`it holds the cell ${Digest.short(kept.cell.key)}`)
          return kept.cell
        }).pipe(
          Effect.catchTag("PlatformError", (error) =>
            Effect.fail(new StoreError({ object: fileOf(key), reason: error.message, remedy: "make the file readable" }))
          )
        )

      const put = (cell: CellResult) =>
        Effect.gen(function* () {
          const object = fileOf(cell.key)
          const json = yield* Effect.orDie(encode(cell))
          const text = JSON.stringify({ digest: Digest.of(json), cell: json }, undefined, 1)
          yield* OutputFolder.make(path.dirname(object))
          const aside = `${object}.${Digest.short(Digest.ofBytes(text))}.partial`
          yield* fs.writeFileString(aside, `${text}\n`)
          yield* fs.rename(aside, object)
        }).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.provideService(Path.Path, path),
          Effect.catchTag("PlatformError", (error) => Effect.fail(outputError(folder, error)))
        )

      return RunStore.of({ get, put })
    })
  )
