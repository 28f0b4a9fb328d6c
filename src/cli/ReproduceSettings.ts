import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import type { Measure } from "../evaluate/index.ts"
import { Experiment, ExperimentRows, type Runner, Scale } from "../experiment/index.ts"
import { Listing } from "../report/index.ts"
import { ConfigError } from "../spec/index.ts"
import * as ExperimentFile from "./ExperimentFile.ts"
import * as Flags from "./Flags.ts"
import * as GlueFiles from "./GlueFiles.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as SquadFiles from "./SquadFiles.ts"
import * as TeacherFolder from "./TeacherFolder.ts"

/** The flags that say which cells an experiment has. */
export const flags = {
  experiment: Argument.String("experiment").pipe(
    Argument.withDescription(
      "all, a table or figure (table1 to table6, figure1 to figure4, oneShot), or the path of a file whose default export is Experiment.make({ … })"
    )
  ),
  only: Flag.String("only").pipe(
    Flag.withMetavar("LIST"),
    Flag.withDescription("of all, only these: table5,figure3"),
    Flag.optional
  ),
  rows: Flag.String("rows").pipe(
    Flag.withMetavar("LIST"),
    Flag.withDescription("of a table's rows, only these besides the baselines: homoDistil,oneShot"),
    Flag.optional
  ),
  scale: Flags.word(
    "scale",
    "micro",
    "smoke: no number means anything; micro: what the README shows; minilm: a 6×384 teacher of yours; paper: to be planned with --plan"
  ),
  seeds: Flag.String("seeds").pipe(
    Flag.withMetavar("N | LIST"),
    Flag.withDescription(
      "how many seeds (3), or which (0,1,2; one alone: 5,); unless given, as many as the experiment or the scale says"
    ),
    Flag.optional
  ),
  threads: Flags.threads(1),
  teacher: Flags.teacher,
  text: Flags.text,
  ...SquadFiles.flags,
  ...GlueFiles.flags,
  store: Flags.store,
  checkpointEvery: Flags.checkpointEvery
}

/** What the flags give. */
export interface Options extends SquadFiles.Options, GlueFiles.Options {
  readonly experiment: string
  readonly only: Option.Option<string>
  readonly rows: Option.Option<string>
  readonly text: Option.Option<string>
  readonly store: string
  readonly checkpointEvery: Option.Option<number>
  readonly scale: string
  readonly seeds: Option.Option<string>
  readonly threads: number
  readonly teacher: Option.Option<string>
}

/** The options that say what data is given and which rows are shown, as a command line. */
export const given = (o: Options): ReadonlyArray<string> => [
  ...SquadFiles.written(o),
  ...GlueFiles.written(o),
  ...Option.match(o.rows, { onNone: () => [], onSome: (rows) => ["--rows", rows] })
]

/** The options as a command line. */
export const written = (o: Options): ReadonlyArray<string> => [
  o.experiment,
  "--scale",
  o.scale,
  "--threads",
  String(o.threads),
  "--store",
  o.store,
  ...Option.match(o.checkpointEvery, { onNone: () => [], onSome: (every) => ["--checkpoint-every", String(every)] }),
  ...Option.match(o.text, { onNone: () => [], onSome: (text) => ["--text", text] }),
  ...given(o),
  ...Option.match(o.only, { onNone: () => [], onSome: (only) => ["--only", only] }),
  ...Option.match(o.seeds, { onNone: () => [], onSome: (seeds) => ["--seeds", seeds] }),
  ...Option.match(o.teacher, { onNone: () => [], onSome: (teacher) => ["--teacher", teacher] })
]

/** `3` is seeds 0, 1 and 2; `0,5,7` are these, and `5,` is that one. */
export const seedsOf = (text: string): Effect.Effect<ReadonlyArray<number>, ConfigError> => {
  const listed = text.includes(",")
  const parts = Flags.parts(text.replace(/,\s*$/, ""))
  const numbers = parts.map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : Number.NaN))
  const [first = Number.NaN] = numbers
  const legal = numbers.every((n) => n >= 0) && new Set(numbers).size === numbers.length && (listed || first >= 1)
  const seeds = listed ? numbers : Array.from({ length: legal ? first : 0 }, (_, i) => i)
  return Settings.check(
    "--seeds",
    seeds,
    legal && seeds.length <= 1000,
    "how many (3), or different seeds (0,1,2; one alone: 5,)",
    3
  ).pipe(
    Effect.mapError(({ problems }) => new ConfigError({ problems: problems.map((one) => ({ ...one, value: text })) }))
  )
}

/** Seeds as `seedsOf` reads them: `0,1,2`, and `5,` of one alone. */
export const seedsText = (seeds: ReadonlyArray<number>): string => seeds.join(",") + (seeds.length === 1 ? "," : "")

/** The rows of an experiment, with errors that name the flag which chose them. */
const rowsOf = (experiment: Experiment.ExperimentOptions, scale: Scale.Scale) =>
  ExperimentRows.of(experiment, scale).pipe(
    Effect.mapError(
      ({ problems }) =>
        new ConfigError({
          problems: problems.map((one) => (one.key === `${experiment.name}.only` ? { ...one, key: "--rows" } : one))
        })
    )
  )

/** What the flags ask for, before a teacher is looked for: the experiments, their scale and seeds, and the backend; `more` is checked with them. */
export const asked = Effect.fnUntraced(function* (
  o: Options,
  more: { readonly [name: string]: Effect.Effect<unknown, ConfigError> } = {}
) {
  const setup = yield* Setup
  const exhibits = yield* ExperimentFile.findAll(o.experiment, Flags.optionalParts(o.only), setup.experiments)
  const settings = {
    scale: Settings.choice("--scale", o.scale, Object.fromEntries(Scale.all.map((each) => [each.name, each]))),
    threads: Settings.count("--threads", o.threads, 1, 1, setup.cores),
    seeds: Option.isSome(o.seeds) ? seedsOf(o.seeds.value) : Effect.void,
    squad: SquadFiles.check(o),
    glue: GlueFiles.check(o),
    checkpointEvery: Settings.checkpointEvery(o.checkpointEvery)
  }
  yield* Settings.checkAll({ ...settings, ...more })
  const { scale, threads, seeds, checkpointEvery: every } = yield* Effect.all(settings)
  const wanted = Flags.optionalParts(o.rows)
  const shown = exhibits.map((exhibit) =>
    Listing.isListing(exhibit) || wanted.length === 0 ? exhibit : Experiment.make({ ...exhibit, only: wanted })
  )
  if (wanted.length > 0)
    yield* Effect.forEach(shown, (exhibit) => (Listing.isListing(exhibit) ? Effect.void : rowsOf(exhibit, scale)))
  const experiments = shown.flatMap((exhibit): ReadonlyArray<Runner.SeededExperiment> =>
    Listing.isListing(exhibit)
      ? []
      : [
          {
            experiment: exhibit,
            seeds: seeds ?? Array.from({ length: Math.min(exhibit.seeds, scale.seeds) }, (_, i) => i)
          }
        ]
  )
  return {
    exhibits: shown,
    experiments,
    ...every,
    scale,
    backend: setup.backend(threads)
  }
})

/** What is asked for, on data of the user's; fails where nothing that is asked for measures what that would take the place of. */
const on = Effect.fnUntraced(function* (
  { exhibits, experiments }: Pick<Effect.Success<ReturnType<typeof asked>>, "exhibits" | "experiments">,
  data: Measure.Given,
  words: { readonly key: string; readonly value: string; readonly bound: string; readonly remedy: string }
) {
  const others = new Map(experiments.map(({ experiment }) => [experiment, Experiment.on(experiment, data)]))
  if ([...others].every(([own, other]) => own === other)) return yield* new ConfigError({ problems: [words] })
  const of = (experiment: Experiment.ExperimentOptions) => others.get(experiment) ?? experiment
  return {
    exhibits: exhibits.map((exhibit) => (Listing.isListing(exhibit) ? exhibit : of(exhibit))),
    experiments: experiments.map(({ experiment, seeds }) => ({ experiment: of(experiment), seeds }))
  }
})

/** What the flags ask for, and what its cells are run on; fails where the scale can only be planned. */
export const resolve = Effect.fnUntraced(function* (
  o: Options,
  more: { readonly [name: string]: Effect.Effect<unknown, ConfigError> } = {}
) {
  const { root } = yield* Setup
  const path = yield* Path.Path
  const settings = yield* asked(o, more)
  const { scale, backend } = settings
  const refusal = Scale.refusal(scale)
  if (refusal !== undefined) return yield* refusal
  const length = scale.training.length ?? 64
  const teacher = yield* TeacherFolder.load(
    Option.getOrElse(o.teacher, () => path.join(root, "assets", "teacher")),
    length,
    { files: Flags.files(o.text), validation: scale.curveRows, test: scale.testRows }
  )
  const { config } = teacher.model
  const squad = yield* SquadFiles.load(o, teacher.tokenizer, length)
  const texts = yield* GlueFiles.load(o, teacher.tokenizer, {
    length: Math.min(GlueFiles.longest, config.positions),
    vocabulary: config.vocabSize
  })
  const onSquad =
    squad === undefined
      ? settings
      : yield* on(
          settings,
          { squad: { task: squad, length } },
          {
            key: "--squad",
            value: SquadFiles.written(o).slice(1).join(" "),
            bound: "given with an experiment that measures span extraction",
            remedy: "leave it out, or ask for table4"
          }
        )
  const onTexts =
    texts === undefined
      ? onSquad
      : yield* on(
          onSquad,
          { texts },
          {
            key: "--glue",
            value: GlueFiles.written(o).slice(1).join(" "),
            bound: "given with an experiment that measures downstream tasks",
            remedy: "leave it out, or ask for table3"
          }
        )
  return {
    ...settings,
    ...onTexts,
    materials: {
      teacher: teacher.model,
      teacherDigest: teacher.digest,
      dataset: teacher.dataset,
      backend: backend.spec
    }
  }
})
