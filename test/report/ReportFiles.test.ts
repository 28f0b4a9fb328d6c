import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { systemError } from "effect/PlatformError"
import { ReportFiles, Table } from "../../src/report/index.ts"
import { figure3, table1, table6 } from "./samples.ts"

const inFolder = <A, E>(
  use: (
    folder: string,
    fs: FileSystem.FileSystem,
    path: Path.Path
  ) => Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* use(yield* fs.makeTempDirectoryScoped(), fs, yield* Path.Path)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("ReportFiles", () => {
  it.effect("writes table and figure into a folder it makes, and leaves nothing else there", () =>
    inFolder((root, fs, path) =>
      Effect.gen(function* () {
        const folder = path.join(root, "a", "b")
        const files = yield* ReportFiles.render({
          table: Table.make(table6),
          text: table1,
          figures: { discrepancy: figure3 }
        })
        const names = ["discrepancy.csv", "discrepancy.svg"]
          .concat(
            ["csv", "json", "md", "svg", "tex"].map((ending) => `table.${ending}`),
            ["csv", "json", "md", "tex"].map((ending) => `text.${ending}`)
          )
          .toSorted()
        assert.deepStrictEqual(
          yield* ReportFiles.write(folder, files),
          names.map((name) => path.join(folder, name))
        )
        assert.sameMembers(yield* fs.readDirectory(folder), names)
        for (const name of names) assert.strictEqual(yield* fs.readFileString(path.join(folder, name)), files[name])
        yield* ReportFiles.write(folder, { "table.md": "new" })
        assert.strictEqual(yield* fs.readFileString(path.join(folder, "table.md")), "new")
        assert.strictEqual(yield* fs.readFileString(path.join(folder, "table.csv")), files["table.csv"])
      })
    )
  )

  it.effect("a table of texts alone is the table", () =>
    Effect.map(ReportFiles.render({ text: table1 }), (files) =>
      assert.deepStrictEqual(Object.keys(files), ["table.md", "table.csv", "table.json", "table.tex"])
    )
  )

  it.effect("a file where the folder should be: an error with path, reason and remedy", () =>
    inFolder((root, fs, path) =>
      Effect.gen(function* () {
        const file = path.join(root, "file")
        yield* fs.writeFileString(file, "precious")
        for (const folder of [file, path.join(file, "below")])
          for (const attempt of [ReportFiles.write(folder, { "a.md": "" }), ReportFiles.writable(folder)]) {
            const error = yield* Effect.flip(attempt)
            assert.strictEqual(error._tag, "OutputError")
            assert.strictEqual(error.path, folder)
            assert.match(error.message, /^cannot write .+: .+; choose another folder with --out/)
          }
        assert.strictEqual(yield* fs.readFileString(file), "precious")
      })
    )
  )

  it.effect("a folder in the place of a file: nothing is written at all", () =>
    inFolder((root, fs, path) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(path.join(root, "b.md"))
        const error = yield* Effect.flip(ReportFiles.write(root, { "a.md": "1", "b.md": "2" }))
        assert.strictEqual(error.path, path.join(root, "b.md"))
        assert.deepStrictEqual(yield* fs.readDirectory(root), ["b.md"])
      })
    )
  )

  it.effect("a disk that fills up half-way: the old files stay and nothing half-written is left", () =>
    inFolder((root, fs, path) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(path.join(root, "a.md"), "old")
        const full = systemError({
          _tag: "Unknown",
          module: "FileSystem",
          method: "writeFileString",
          description: "no space left"
        })
        const filling: FileSystem.FileSystem = {
          ...fs,
          writeFileString: (file, text) => (file.endsWith("b.md") ? Effect.fail(full) : fs.writeFileString(file, text))
        }
        const error = yield* ReportFiles.write(root, { "a.md": "new", "b.md": "new" }).pipe(
          Effect.provide(Layer.succeed(FileSystem.FileSystem, filling)),
          Effect.flip
        )
        assert.match(error.message, /no space left/)
        assert.deepStrictEqual(yield* fs.readDirectory(root), ["a.md"])
        assert.strictEqual(yield* fs.readFileString(path.join(root, "a.md")), "old")
      })
    )
  )

  it.effect("writable leaves an empty folder", () =>
    inFolder((root, fs, path) =>
      Effect.gen(function* () {
        yield* ReportFiles.writable(path.join(root, "new"))
        assert.deepStrictEqual(yield* fs.readDirectory(path.join(root, "new")), [])
      })
    )
  )
})
