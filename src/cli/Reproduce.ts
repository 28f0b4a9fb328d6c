import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import {
  type CellRun,
  type Experiment,
  FileRunStore,
  Runner,
  RunStore,
  type Scale,
  type StoreError
} from "../experiment/index.ts"
import { ExperimentReport, Markdown, ReportFiles, TextPlot } from "../report/index.ts"
import { Digest, OutputError, Spec } from "../spec/index.ts"
import * as CellProcesses from "./CellProcesses.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Progress from "./Progress.ts"
import * as ReproduceSettings from "./ReproduceSettings.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as Words from "./Words.ts"

/** The cells of an experiment as text: row, seed, key, and whether the store has them. */
const list = (cells: ReadonlyArray<Runner.PlannedCell>) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    const lines = yield* Effect.forEach(cells, ({ row, seed, key }) =>
      Effect.map(
        store.get(key),
        (found) => `${Digest.short(key)}  ${found === undefined ? "missing" : "kept   "}  seed ${seed}  ${row.label}`
      )
    )
    return `${lines.join("\n")}\n`
  })

/** The table for a terminal: Markdown, then the first measure and the curve as plots. */
const results = (report: {
  readonly table: ReturnType<typeof ExperimentReport.table>
  readonly figure: ReturnType<typeof ExperimentReport.figure>
}) => {
  const [column] = report.table.columns
  const [panel] = report.figure.panels
  const plots = [
    column === undefined ? "" : TextPlot.dots(report.table, column.id),
    panel === undefined ? "" : TextPlot.lines(panel)
  ]
  return [Markdown.render(report.table), ...plots.filter((plot) => plot !== "").map((plot) => `${plot}\n`)].join("\n")
}

const provenance = (
  { name }: Experiment.ExperimentOptions,
  scale: Scale.Scale,
  seeds: ReadonlyArray<number>,
  { teacherDigest, dataset, backend }: Runner.RunnerOptions["materials"],
  version: string
): ReadonlyArray<string> => [
  `homodistil ${version}: homodistil reproduce ${name} --scale ${scale.name} --seeds ${seeds.join(",")}`,
  `teacher ${Digest.short(teacherDigest)}, data ${Digest.short(dataset.digest)}, backend ${Spec.describe(backend)}`
]

const flags = {
  ...ReproduceSettings.flags,
  out: Flag.String("out").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("folder for the table and figures (default runs/<experiment>-<scale>)"),
    Flag.optional
  ),
  store: Flag.String("store").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("folder in which finished cells are kept (default runs)"),
    Flag.withDefault("runs")
  ),
  jobs: Flag.Int("jobs").pipe(
    Flag.withDescription(
      "processes that run cells (default: one for each core); in each, cells that can share a teacher run side by side"
    ),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("list the cells and whether they are kept, and run nothing"),
    Flag.withDefault(false)
  ),
  quiet: Flags.quiet
}

type RunFailure = CellRun.CellFailure | CellProcesses.CellProcessError | StoreError | OutputError

/** `homodistil reproduce`: runs the missing cells of an experiment, then writes and prints its table and figures. */
export const command = Command.make("reproduce", flags, (o) =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const { cores, machine, program, store } = yield* Setup
    const screen = yield* Screen
    const path = yield* Path.Path
    const jobs = Option.getOrElse(o.jobs, () => cores)
    const checked = { jobs: Settings.count("--jobs", jobs, cores, 1, 2 * cores) }
    const { backend, ...what } = yield* ReproduceSettings.resolve(o, checked)
    const { experiment, scale, seeds, materials } = what
    const out = Option.getOrElse(o.out, () => path.join("runs", `${experiment.name}-${scale.name}`))

    const run = (emit: Runner.RunnerOptions["emit"]): Effect.Effect<Runner.Finished, RunFailure, RunStore> => {
      const options = { ...what, jobs, machine, emit }
      return program === undefined || jobs === 1
        ? Runner.run({ ...options, jobs: 1 }).pipe(Effect.provide(backend.layer))
        : Runner.runWith(options, CellProcesses.executor(program, ReproduceSettings.written(o), jobs))
    }
    yield* Effect.gen(function* () {
      if (o.dryRun) return yield* screen.out(yield* list(yield* Runner.plan(what)))
      yield* ReportFiles.writable(out)
      yield* Effect.mapError(
        ReportFiles.writable(o.store),
        (error) => new OutputError({ path: error.path, reason: error.reason, remedy: FileRunStore.storeRemedy })
      )
      const finished = yield* Effect.scoped(
        Effect.flatMap(Progress.table(`${experiment.name} at ${scale.name} scale`, o.quiet), run)
      )
      const table = ExperimentReport.table(finished, provenance(experiment, scale, seeds, materials, machine.version))
      const report = { table, figure: ExperimentReport.figure(finished) }
      const written = yield* ReportFiles.write(out, yield* ReportFiles.render(report))
      yield* screen.out(results(report))
      const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
      yield* screen.out(`\nWritten in ${Words.duration(seconds)}:\n${written.map((file) => `  ${file}\n`).join("")}`)
    }).pipe(Effect.provide(store(o.store)))
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Run an experiment: the cells that are missing are run and kept, then the table and figures are written and printed. " +
        `Run again, it renders from the kept cells at once; stopped, it goes on where it stopped.`
    )
  ),
  Command.withShortDescription("Run a table or figure of the paper, or one of your own"),
  Command.withExamples([
    { command: "homodistil reproduce table6", description: "Table 6 at micro scale: 12 cells, minutes on two cores" },
    { command: "homodistil reproduce figure3 --scale smoke", description: "See in a minute that everything works" },
    {
      command: "homodistil reproduce table6 --seeds 0,1,2,3,4",
      description: "Two more seeds; the kept ones are not run again"
    },
    { command: "homodistil reproduce examples/ownTable.ts", description: "An experiment of your own" }
  ])
)
