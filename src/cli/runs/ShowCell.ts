import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import { type Cell, type CellResult, KeptSpec, RunStore } from "../../experiment/index.ts"
import { TextPlot } from "../../report/index.ts"
import { withExitCodes } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as RunView from "../RunView.ts"
import { Screen } from "../Screen.ts"
import { Setup } from "../Setup.ts"
import * as Words from "../Words.ts"
import * as Columns from "./Columns.ts"
import * as Keys from "./Keys.ts"

const left = { name: "" } as const

const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> => lines.map((line) => `  ${line}`)

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...indented(lines)]

/** A number with as many digits as two cells' values need to be told apart by eye. */
export const precise = (value: number): string => String(Number(value.toPrecision(7)))

const measures = (all: CellResult["measures"]): ReadonlyArray<string> =>
  Columns.lines(
    [left, left],
    Object.entries(all)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, precise(value)])
  )

const curve = (points: CellResult["curve"]): ReadonlyArray<string> =>
  points.length === 0
    ? []
    : TextPlot.lines({
        title: "KL(teacher ‖ student), nats",
        series: [{ name: "student", points: points.map(({ step, discrepancy }) => ({ step, values: [discrepancy] })) }]
      }).split("\n")

const path = (shapes: CellResult["path"]): ReadonlyArray<string> =>
  Columns.lines(
    [{ name: "step", side: "right" }, { name: "parameters", side: "right" }, { name: "widths" }],
    shapes.map(({ step, parameters, widths }) => [
      String(step),
      Words.amount(parameters),
      RunView.widths(widths, ["hidden", "ffn", "qk", "vo"])
    ])
  )

const trajectory = (points: CellResult["trajectory"]): ReadonlyArray<string> => {
  const names = [...new Set(points.flatMap((point) => Object.keys(point.measures)))].toSorted()
  return Columns.lines(
    ["step", "parameters", ...names].map((name) => ({ name, side: "right" as const })),
    points.map((point) => [
      String(point.step),
      Words.amount(point.parameters),
      ...names.map((name) => (point.measures[name] === undefined ? "" : Words.short(point.measures[name])))
    ])
  )
}

/** Where a cell came from, line by line. */
const provenance = (from: Cell.Provenance): ReadonlyArray<string> => {
  const { git, packages, resumed } = from
  const commit = git === null ? "none" : `${git.commit}${git.dirty ? ", with files that differ from it" : ""}`
  return Columns.lines(
    [left, left],
    [
      ["finished", from.finished],
      ["time", `${Words.duration(from.seconds)}, of which training ${Words.duration(from.trainSeconds)}`],
      ["resumed", resumed === 0 ? "never" : Words.counted(resumed, "time")],
      ["machine", `${from.platform}, ${from.cpu}, ${Words.counted(from.cores, "core")}`],
      ["git commit", commit],
      ["homodistil", from.version],
      ["Node", from.node],
      ...Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1))
    ]
  )
}

/** A cell as lines: spec, measures, curve, path of widths, trajectory, provenance. */
export const render = (cell: CellResult): ReadonlyArray<string> => [
  `${cell.key}  ${cell.diverged === undefined ? "finished" : `diverged: ${cell.diverged}`}`,
  ...section("spec", KeptSpec.tree(KeptSpec.unfolded(cell.spec))),
  ...section("measures", measures(cell.measures)),
  ...section("curve", curve(cell.curve)),
  ...section("path", cell.path.length === 0 ? [] : path(cell.path)),
  ...section("trajectory", cell.trajectory.length === 0 ? [] : trajectory(cell.trajectory)),
  ...section("provenance", provenance(cell.provenance))
]

/** `homodistil runs show`. */
export const command = Command.make("show", { key: Keys.cell("key"), store: Flags.store }, ({ key, store: folder }) =>
  Effect.gen(function* () {
    const { store } = yield* Setup
    const cell = yield* Effect.gen(function* () {
      const entries = yield* (yield* RunStore).list
      const [entry] = yield* Keys.findAll(entries, [key], "KEY", folder)
      return yield* Effect.flatMap(Effect.orDie(Effect.fromNullishOr(entry)), (found) => Keys.finished(found, "KEY"))
    }).pipe(Effect.provide(store(folder)))
    yield* (yield* Screen).out(`${render(cell).join("\n")}\n`)
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Show a finished cell: its spec, its measures, its discrepancy curve, its path of widths, and where its numbers came from."
    )
  ),
  Command.withShortDescription("Show one cell"),
  Command.withExamples([{ command: "homodistil runs show 04d0", description: "The cell whose key begins with 04d0" }])
)
