import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { type Entry, KeptSpec, RunStore } from "../../experiment/index.ts"
import { Csv, ReportFiles } from "../../report/index.ts"
import type { Json } from "../../spec/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import { Screen } from "../Screen.ts"
import * as Settings from "../Settings.ts"
import { Setup } from "../Setup.ts"
import * as Keys from "./Keys.ts"

/** Finished cells, and what of their specs is not the same in all of them. */
export interface Exported {
  /** Paths into the specs; the seed is always one of them. */
  readonly varying: ReadonlyArray<string>
  readonly measures: ReadonlyArray<string>
  readonly cells: ReadonlyArray<{
    readonly key: string
    readonly state: Entry["state"]
    readonly spec: KeptSpec.Leaves
    readonly measures: { readonly [measure: string]: number }
    readonly seconds: number
    readonly finished: string
  }>
}

/** The finished ones of some entries. */
export const exported = (entries: ReadonlyArray<Entry>): Exported => {
  const finished = entries.flatMap(({ key, state, cell }) => (cell === undefined ? [] : [{ key, state, cell }]))
  const { paths, leaves } = KeptSpec.columns(finished.map(({ cell }) => cell.spec))
  const cells = finished.map(({ key, state, cell: { spec, measures, provenance } }, i) => ({
    key,
    state,
    spec: new Map([...(leaves[i] ?? []), ["seed", spec["seed"] ?? null]]),
    measures,
    seconds: provenance.seconds,
    finished: provenance.finished
  }))
  return {
    varying: ["seed", ...paths.filter((path) => path !== "seed")],
    measures: [...new Set(cells.flatMap((cell) => Object.keys(cell.measures)))].toSorted(),
    cells
  }
}

const field = (value: Json | undefined): string => (value === undefined ? "" : KeptSpec.text(value))

/** One line a cell; nothing is rounded, and what a cell lacks is an empty field. */
export const renderCsv = ({ varying, measures, cells }: Exported): string =>
  Csv.lines([
    ["key", "state", ...varying, ...measures, "seconds", "finished"],
    ...cells.map((cell) => [
      cell.key,
      cell.state,
      ...varying.map((path) => field(cell.spec.get(path))),
      ...measures.map((name) => field(cell.measures[name])),
      String(cell.seconds),
      cell.finished
    ])
  ])

/** A list of cells, what varies of their specs by path. */
export const renderJson = ({ varying, cells }: Exported): string => {
  const list = cells.map(({ spec, ...cell }) => ({
    ...cell,
    spec: Object.fromEntries(
      varying.flatMap((path) => {
        const value = spec.get(path)
        return value === undefined ? [] : [[path, value] as const]
      })
    )
  }))
  return `${JSON.stringify(list, null, 2)}\n`
}

const formats = { csv: renderCsv, json: renderJson }

/** `homodistil runs export`. */
export const command = Command.make(
  "export",
  {
    keys: Argument.String("key").pipe(
      Argument.withDescription("cells, by the beginnings of their keys (all finished ones unless given)"),
      Argument.variadic()
    ),
    store: Flags.store,
    format: Flag.String("format").pipe(
      Flag.withMetavar("name"),
      Flag.withDescription("csv or json (default: as --out ends, csv on standard output)"),
      Flag.optional
    ),
    out: Flag.String("out").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("file to write (default: standard output)"),
      Flag.optional
    )
  },
  ({ keys, store: folder, format, out }) =>
    Effect.gen(function* () {
      const { store } = yield* Setup
      const screen = yield* Screen
      const path = yield* Path.Path
      const ending = Option.exists(out, (file) => file.toLowerCase().endsWith(".json")) ? "json" : "csv"
      const render = yield* Settings.choice(
        "--format",
        Option.getOrElse(format, () => ending),
        formats
      )
      const entries = yield* Effect.gen(function* () {
        const all = yield* (yield* RunStore).list
        if (keys.length === 0) return all
        const found = yield* Keys.findAll(all, keys, "KEY", folder)
        const unfinished = found.find(({ cell }) => cell === undefined)
        if (unfinished !== undefined) yield* Keys.finished(unfinished, "KEY")
        return found
      }).pipe(Effect.provide(store(folder)))
      const content = exported(entries)
      const text = render(content)
      if (Option.isNone(out)) return yield* screen.out(text)
      const written = yield* ReportFiles.write(path.dirname(out.value), { [path.basename(out.value)]: text })
      yield* screen.out(`${content.cells.length} cells in ${written.join(", ")}\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Write the measures of finished cells as one table: a line a cell, with its key, those options of its spec that are not the same " +
        "in all of them, every measure, its time and when it was finished. Nothing is rounded."
    )
  ),
  Command.withShortDescription("Write measures as CSV or JSON"),
  Command.withExamples([
    { command: "homodistil runs export --out cells.csv", description: "All cells, for a spreadsheet" },
    { command: "homodistil runs export 04d0 096d --format json", description: "Two cells on standard output" }
  ])
)
