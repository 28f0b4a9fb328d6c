import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace } from "../checkpoint/index.ts"
import {
  Calibration,
  type CellFailure,
  FileRunStore,
  type Runner,
  RunPlan,
  type RunStore,
  Runner as Runs,
  Scale,
  type StoreError
} from "../experiment/index.ts"
import { ReportFiles } from "../report/index.ts"
import { type ConfigError, Digest, OutputError } from "../spec/index.ts"
import * as CellProcesses from "./CellProcesses.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Progress from "./Progress.ts"
import * as Publish from "./Publish.ts"
import * as ReproduceSettings from "./ReproduceSettings.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as Words from "./Words.ts"

/** The cells of experiments as text: key, whether the store has them, seed and row; and what they took, where they were run. */
const list = (planned: Effect.Success<ReturnType<typeof Runs.planAll>>) =>
  Effect.gen(function* () {
    const kept = yield* Runs.keptOf(planned.cells)
    const lines = planned.planned.flatMap(({ experiment, cells }) => [
      `${experiment.name}: ${Words.counted(cells.length, "cell")}`,
      ...cells.map(({ row, seed, key }) => {
        const found = kept.get(key)
        const state = found === undefined ? "missing" : `kept, ${Words.duration(found.provenance.seconds)}`
        const group = row.group === undefined ? "" : `${row.group} · `
        return `  ${Digest.short(key)}  ${state.padEnd(14)}  seed ${seed}  ${group}${row.label}`
      })
    ])
    const missing = planned.cells.length - kept.size
    const took = [...kept.values()].map(({ provenance }) => provenance.seconds)
    const each = took.length === 0 ? undefined : took.reduce((sum, seconds) => sum + seconds, 0) / took.length
    const cost =
      missing === 0 || each === undefined
        ? ""
        : `, about ${Words.duration(each * missing)} of work as the kept ones took`
    return `${lines.join("\n")}\nin all ${Words.counted(planned.cells.length, "different cell")}, ${missing} missing${cost}\n`
  })

const flags = {
  ...ReproduceSettings.flags,
  out: Flag.String("out").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("folder for the tables and figures (default runs/<experiment>-<scale>)"),
    Flag.optional
  ),
  published: Flag.String("published").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("JSON file of published numbers, to be shown in columns of their own"),
    Flag.optional
  ),
  jobs: Flag.Int("jobs").pipe(
    Flag.withDescription(
      "processes that run cells (default: one for each core); in each, cells that can share a teacher run side by side"
    ),
    Flag.optional
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("list the cells, their keys, whether they are kept and what they took, and run nothing"),
    Flag.withDefault(false)
  ),
  plan: Flag.Boolean("plan").pipe(
    Flag.withDescription(
      "say what is left to run and what it would cost (cells, widths, operations, memory, time), and run nothing"
    ),
    Flag.withDefault(false)
  ),
  quiet: Flags.quiet
}

/**
 * What experiments would cost, as text. Where no teacher is given, the scale's is assumed, so none need be there; only where it is the one that
 * cells would really be run with have they keys, by which the kept ones are found.
 */
const costs = Effect.fnUntraced(function* (
  o: ReproduceSettings.Options,
  jobs: number,
  checked: { readonly [name: string]: Effect.Effect<unknown, ConfigError> }
) {
  const { scale, backend, experiments } = yield* ReproduceSettings.asked(o, checked)
  const { rate } = yield* Calibration.measure.pipe(Effect.provide(backend.layer))
  const assumed = Option.isNone(o.teacher) && scale.teacher !== undefined
  if (assumed || Scale.refusal(scale) !== undefined) {
    const teacher = Option.isNone(o.teacher)
      ? Scale.teacherOf(scale)
      : (yield* HuggingFace.read(o.teacher.value, "--teacher")).config
    return RunPlan.text(yield* RunPlan.make({ experiments, scale, teacher, jobs, rate }))
  }
  const { materials, ...what } = yield* ReproduceSettings.resolve(o, checked)
  const { cells } = yield* Runs.planAll({ ...what, materials })
  const keys = new Set((yield* Runs.keptOf(cells)).keys())
  const plan = { experiments: what.experiments, scale, teacher: materials.teacher.config, jobs, rate }
  return RunPlan.text(yield* RunPlan.make({ ...plan, kept: { keys, materials } }))
})

type RunFailure = CellFailure | CellProcesses.CellProcessError | StoreError | OutputError | ConfigError

/** `homodistil reproduce`: runs the missing cells of experiments, then writes and prints their tables and figures. */
export const command = Command.make("reproduce", flags, (o) =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const { cores, program, store, version, ...setup } = yield* Setup
    const screen = yield* Screen
    const path = yield* Path.Path
    const jobs = Option.getOrElse(o.jobs, () => cores)
    const checked = { jobs: Settings.count("--jobs", jobs, cores, 1, 2 * cores) }
    if (o.plan) return yield* screen.out(yield* costs(o, jobs, checked).pipe(Effect.provide(store(o.store))))
    const { backend, exhibits, ...what } = yield* ReproduceSettings.resolve(o, checked)
    const { scale } = what
    const name = `${path.basename(o.experiment).replace(/\.[^.]*$/, "")}-${scale.name}`
    const out = Option.getOrElse(o.out, () => path.join("runs", name))
    const machine = yield* setup.machine

    const run = (
      emit: Runner.RunnerOptions["emit"]
    ): Effect.Effect<ReadonlyArray<Runner.Finished>, RunFailure, RunStore> => {
      const options = { ...what, jobs, machine, emit }
      return program === undefined || jobs === 1
        ? Runs.run({ ...options, jobs: 1 }).pipe(Effect.provide(backend.layer))
        : Runs.runWith(options, CellProcesses.executor(program, ReproduceSettings.written(o), jobs))
    }
    yield* Effect.gen(function* () {
      if (o.dryRun) return yield* screen.out(yield* list(yield* Runs.planAll(what)))
      const published = Option.isNone(o.published)
        ? undefined
        : yield* Publish.published(o.published.value, what.experiments, scale)
      yield* ReportFiles.writable(out)
      yield* Effect.mapError(
        ReportFiles.writable(o.store),
        (error) => new OutputError({ path: error.path, reason: error.reason, remedy: FileRunStore.storeRemedy })
      )
      const finished = yield* Effect.scoped(
        Effect.flatMap(Progress.table(`${o.experiment} at ${scale.name} scale`, o.quiet), run)
      )
      const written = yield* Publish.write({
        asked: o.experiment,
        exhibits,
        finished,
        out,
        store: o.store,
        given: ReproduceSettings.given(o),
        version,
        materials: what.materials,
        scale,
        ...(published === undefined ? {} : { published })
      })
      yield* screen.out(written.text)
      const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
      yield* screen.out(
        `\nWritten in ${Words.duration(seconds)}:\n${written.files.map((file) => `  ${file}\n`).join("")}`
      )
    }).pipe(Effect.provide(store(o.store)))
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Run an experiment, or all of them: the cells that are missing are run and kept, then the tables and figures are written and " +
        "printed. Run again, it renders from the kept cells at once; stopped, even by a kill, it goes on from the cells' last checkpoints. " +
        "Several such commands on one store share the work."
    )
  ),
  Command.withShortDescription("Run a table or figure of the paper, all of them, or one of your own"),
  Command.withExamples([
    { command: "homodistil reproduce table6", description: "Table 6 at micro scale" },
    { command: "homodistil reproduce all --scale smoke", description: "See in minutes that everything works" },
    { command: "homodistil reproduce all --only table5,figure3", description: "Some of them, on one page" },
    {
      command: "homodistil reproduce table6 --seeds 0,1,2,3,4",
      description: "Other seeds; the kept cells are not run again"
    },
    {
      command: "homodistil reproduce table4 --squad train-v1.1.json --squad-dev dev-v1.1.json",
      description: "Table 4 on SQuAD; without --squad-dev the one file is split by article"
    },
    {
      command: "homodistil reproduce table3 --scale minilm --teacher my-teacher --glue GLUE --rows homoDistil,oneShot",
      description: "Table 3 on GLUE's tasks, some of its rows, for a teacher of your own"
    },
    { command: "homodistil reproduce table6 --dry-run", description: "Its cells, their keys, and which are kept" },
    { command: "homodistil reproduce all --scale paper --plan", description: "What the paper's scale would cost" },
    { command: "homodistil reproduce examples/ownTable.ts", description: "An experiment of your own" }
  ])
)
