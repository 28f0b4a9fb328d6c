import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { Digest, OutputError, outputError, OutputFolder } from "../spec/index.ts"
import { CellResult } from "./Cell.ts"
import { RunStore, StoreError } from "./RunStore.ts"

/** A cell with the digest of its own text, so that a damaged file is noticed. */
const Kept = Schema.Struct({ digest: Schema.String, cell: CellResult })

const remedy = "delete the file, and the cell is run again"

/** What to do about a store that cannot be written. */
export const storeRemedy = "choose another folder with --store, or make this one writable"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Kept))
const encode = Schema.encodeEffect(CellResult)

/** The text of a cell's file, the same for equal cells. */
const textOf = (cell: CellResult): Effect.Effect<string, Schema.SchemaError> =>
  Effect.map(encode(cell), (json) => `${JSON.stringify({ digest: Digest.of(json), cell: json }, undefined, 1)}\n`)

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
          const whole = Effect.flatMap(decode(text), ({ cell }) =>
            Effect.map(textOf(cell), (again) => ({ cell, again }))
          )
          const { cell, again } = yield* Effect.mapError(whole, () => broken("it is not a whole cell"))
          // not a byte may differ, so neither the digest nor what it stands for
          if (again !== text) return yield* broken("its contents do not match their digest")
          if (cell.key !== key) return yield* broken(`it holds the cell ${Digest.short(cell.key)}`)
          return cell
        }).pipe(
          Effect.catchTag("PlatformError", (error) =>
            Effect.fail(
              new StoreError({ object: fileOf(key), reason: error.message, remedy: "make the file readable" })
            )
          )
        )

      const put = (cell: CellResult) =>
        Effect.gen(function* () {
          const object = fileOf(cell.key)
          const text = yield* Effect.orDie(textOf(cell))
          const directory = path.dirname(object)
          yield* OutputFolder.make(directory)
          // a folder of its own, so that two writers of one cell do not meet
          const aside = path.join(yield* fs.makeTempDirectoryScoped({ directory, prefix: ".writing-" }), "cell.json")
          yield* fs.writeFileString(aside, text)
          yield* fs.rename(aside, object)
        }).pipe(
          Effect.scoped,
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.provideService(Path.Path, path),
          Effect.catchTag("PlatformError", (error) =>
            Effect.fail(
              new OutputError({ path: folder, reason: outputError(folder, error).reason, remedy: storeRemedy })
            )
          )
        )

      return RunStore.of({ get, put })
    })
  )
