import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { type Experiment, FileRunStore, Runner, RunStore, Scale } from "../experiment/index.ts"
import { ExperimentReport, Markdown, ReportFiles, TextPlot } from "../report/index.ts"
import { ConfigError, Digest, OutputError, Spec } from "../spec/index.ts"
import * as ExperimentFile from "./ExperimentFile.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Progress from "./Progress.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherFolder from "./TeacherFolder.ts"
import * as Words from "./Words.ts"

/** `3` is seeds 0, 1 and 2; `0,5,7` are these. */
export const seedsOf = (text: string): Effect.Effect<ReadonlyArray<number>, ConfigError> => {
  const numbers = text.split(",").map((part) => (/^\s*\d{1,9}\s*$/.test(part) ? Number(part) : Number.NaN))
  const [first = Number.NaN] = numbers
  const legal =
    numbers.every((n) => n >= 0) && new Set(numbers).size === numbers.length && !(numbers.length === 1 && first < 1)
  const seeds = numbers.length > 1 ? numbers : Array.from({ length: legal ? first : 0 }, (_, i) => i)
  return Settings.check(
    "--seeds",
    seeds,
    legal && seeds.length <= 1000,
    "how many (3), or different seeds (0,1,2)",
    3
  ).pipe(
    Effect.mapError(({ problems }) => new ConfigError({ problems: problems.map((one) => ({ ...one, value: text })) }))
  )
}

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
  experiment: Argument.String("experiment").pipe(
    Argument.withDescription("table6, figure3, or the path of a file whose default export is Experiment.make({ … })")
  ),
  scale: Flags.word("scale", "micro", "smoke: a minute, no number means anything; micro: what the README shows"),
  seeds: Flag.String("seeds").pipe(
    Flag.withMetavar("N | LIST"),
    Flag.withDescription(
      "how many seeds (3), or which (0,1,2); unless given, as many as the experiment or the scale says"
    ),
    Flag.optional
  ),
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
    Flag.withDescription("cells that are run at the same time (default: one for each core)"),
    Flag.optional
  ),
  threads: Flags.threads(1),
  teacher: Flags.teacher,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("list the cells and whether they are kept, and run nothing"),
    Flag.withDefault(false)
  ),
  quiet: Flags.quiet
}

/** `homodistil reproduce`: runs the missing cells of an experiment, then writes and prints its table and figures. */
export const command = Command.make("reproduce", flags, (o) =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const setup = yield* Setup
    const screen = yield* Screen
    const path = yield* Path.Path
    const experiment = yield* ExperimentFile.find(o.experiment, setup.experiments)
    const settings = {
      scale: Settings.choice("--scale", o.scale, Object.fromEntries(Scale.all.map((each) => [each.name, each]))),
      jobs: Settings.count(
        "--jobs",
        Option.getOrElse(o.jobs, () => setup.cores),
        setup.cores,
        1,
        2 * setup.cores
      ),
      threads: Settings.count("--threads", o.threads, 1, 1, setup.cores),
      seeds: Option.isSome(o.seeds) ? seedsOf(o.seeds.value) : Effect.void
    }
    yield* Settings.checkAll(settings)
    const { scale, jobs, threads, seeds } = yield* Effect.all(settings)
    const backend = setup.backend(threads)
    const chosen = seeds ?? Array.from({ length: Math.min(experiment.seeds, scale.seeds) }, (_, i) => i)
    const teacher = yield* TeacherFolder.load(
      Option.getOrElse(o.teacher, () => path.join(setup.root, "assets", "teacher")),
      64
    )
    const materials = {
      teacher: teacher.model,
      teacherDigest: teacher.digest,
      dataset: teacher.dataset,
      backend: backend.spec
    }
    const what = { experiment, scale, seeds: chosen, materials }
    const out = Option.getOrElse(o.out, () => path.join("runs", `${experiment.name}-${scale.name}`))
    yield* Effect.gen(function* () {
      if (o.dryRun) return yield* screen.out(yield* list(yield* Runner.plan(what)))
      yield* ReportFiles.writable(out)
      yield* Effect.mapError(
        ReportFiles.writable(o.store),
        (error) => new OutputError({ path: error.path, reason: error.reason, remedy: FileRunStore.storeRemedy })
      )
      const finished = yield* Effect.scoped(
        Effect.gen(function* () {
          const emit = yield* Progress.table(`${experiment.name} at ${scale.name} scale`, o.quiet)
          return yield* Runner.run({ ...what, jobs, machine: setup.machine, emit })
        })
      )
      const table = ExperimentReport.table(
        finished,
        provenance(experiment, scale, chosen, materials, setup.machine.version)
      )
      const report = { table, figure: ExperimentReport.figure(finished) }
      const written = yield* ReportFiles.write(out, yield* ReportFiles.render(report))
      yield* screen.out(results(report))
      const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
      yield* screen.out(`\nWritten in ${Words.duration(seconds)}:\n${written.map((file) => `  ${file}\n`).join("")}`)
    }).pipe(Effect.provide([setup.store(o.store), backend.layer]))
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
