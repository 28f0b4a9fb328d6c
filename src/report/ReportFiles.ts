import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { OutputError, outputError, OutputFolder, outputRemedy as remedy } from "../spec/index.ts"
import * as Csv from "./Csv.ts"
import * as DotFigure from "./DotFigure.ts"
import * as JsonReport from "./JsonReport.ts"
import * as Latex from "./Latex.ts"
import * as LineFigure from "./LineFigure.ts"
import * as Markdown from "./Markdown.ts"
import type { Report } from "./Report.ts"
import * as Svg from "./Svg.ts"

/** The texts of a report by file name. */
export type Files = { readonly [name: string]: string }

/**
 * The files of a report: `table.md`, `table.csv`, `table.json`, `table.tex` and, for a table of measures, `table.svg` (dots and intervals);
 * for each figure its name with `.svg` and `.csv`. A table of texts beside one of measures is called `text`.
 *
 * @example
 * ```ts
 * import { ReportFiles } from "homodistil/report"
 * import * as Effect from "effect/Effect"
 * const discrepancy = {
 *   title: "Figure 3", subtitle: [],
 *   panels: [{ title: "KL (nats)", series: [{ name: "PLATON", points: [{ step: 0, values: [0] }, { step: 9, values: [1] }] }] }]
 * }
 * const files = await Effect.runPromise(ReportFiles.render({ figures: { discrepancy } }))
 * assert.deepEqual(Object.keys(files), ["discrepancy.svg", "discrepancy.csv"])
 * ```
 */
export const render = ({ table, text, figures = {} }: Report): Effect.Effect<Files> =>
  Effect.gen(function* () {
    const texts = table === undefined ? "table" : "text"
    const drawn = yield* Effect.forEach(Object.entries(figures), ([name, figure]) =>
      Effect.map(Svg.render(LineFigure.spec(figure)), (svg) => [
        [`${name}.svg`, svg] as const,
        [`${name}.csv`, Csv.renderFigure(figure)] as const
      ])
    )
    return {
      ...(table === undefined
        ? {}
        : {
            "table.md": Markdown.render(table),
            "table.csv": Csv.render(table),
            "table.json": JsonReport.render(table),
            "table.tex": Latex.render(table),
            "table.svg": yield* Svg.render(DotFigure.spec(table))
          }),
      ...(text === undefined
        ? {}
        : {
            [`${texts}.md`]: Markdown.renderText(text),
            [`${texts}.csv`]: Csv.renderText(text),
            [`${texts}.json`]: JsonReport.renderText(text),
            [`${texts}.tex`]: Latex.renderText(text)
          }),
      ...Object.fromEntries(drawn.flat())
    }
  })

/**
 * Writes the files into a folder, made if it is missing, and gives their paths back in the order of their names.
 *
 * All of them are first written into a folder beside their places and then renamed, so a failure or an interruption leaves no
 * half-written file. Fails with `OutputError` where that is impossible.
 *
 * @example
 * ```ts
 * import { ReportFiles } from "homodistil/report"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * const error = await Effect.runPromise(
 *   ReportFiles.write("package.json/results", { "table.md": "" }).pipe(Effect.flip, Effect.provide(NodeServices.layer))
 * )
 * assert.equal(error._tag, "OutputError") // package.json is no folder
 * ```
 */
export const write = (
  folder: string,
  files: Files
): Effect.Effect<ReadonlyArray<string>, OutputError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const names = Object.keys(files).toSorted()
    const aside = yield* writeAside(folder)
    for (const name of names) {
      const target = path.join(folder, name)
      if ((yield* OutputFolder.kindOf(target)) === "Directory")
        return yield* new OutputError({ path: target, reason: "a folder of that name is in the way", remedy })
    }
    yield* Effect.forEach(names, (name) => fs.writeFileString(path.join(aside, name), files[name] ?? ""))
    const moves = Effect.forEach(names, (name) => {
      const target = path.join(folder, name)
      return fs.rename(path.join(aside, name), target).pipe(Effect.as(target))
    })
    return yield* Effect.uninterruptible(moves)
  }).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) => Effect.fail(outputError(folder, error)))
  )

/**
 * Finds out whether a folder can be written, making it if it is missing: to be asked before hours are spent on what will be
 * written. Fails with `OutputError` if not.
 */
export const writable = (folder: string): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const aside = yield* writeAside(folder)
    yield* fs.writeFileString(`${aside}/probe`, "")
  }).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) => Effect.fail(outputError(folder, error)))
  )

/** A folder inside `folder` that is gone when the scope closes. */
const writeAside = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* OutputFolder.make(folder)
    return yield* fs.makeTempDirectoryScoped({ directory: folder, prefix: ".report-" })
  })
