import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Argument from "effect/cli/Argument"
import * as Flag from "effect/cli/Flag"
import { Scale } from "../experiment/index.ts"
import { ConfigError } from "../spec/index.ts"
import * as ExperimentFile from "./ExperimentFile.ts"
import * as Flags from "./Flags.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherFolder from "./TeacherFolder.ts"

/** The flags that say which cells an experiment has. */
export const flags = {
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
  threads: Flags.threads(1),
  teacher: Flags.teacher
}

/** What the flags give. */
export interface Options {
  readonly experiment: string
  readonly scale: string
  readonly seeds: Option.Option<string>
  readonly threads: number
  readonly teacher: Option.Option<string>
}

/** The options as a command line. */
export const written = (o: Options): ReadonlyArray<string> => [
  o.experiment,
  "--scale",
  o.scale,
  "--threads",
  String(o.threads),
  ...Option.match(o.seeds, { onNone: () => [], onSome: (seeds) => ["--seeds", seeds] }),
  ...Option.match(o.teacher, { onNone: () => [], onSome: (teacher) => ["--teacher", teacher] })
]

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

/** What the flags ask for: the experiment, its scale and seeds, and what its cells are run on; `more` is checked with them. */
export const resolve = Effect.fnUntraced(function* (
  o: Options,
  more: { readonly [name: string]: Effect.Effect<unknown, ConfigError> } = {}
) {
  const setup = yield* Setup
  const path = yield* Path.Path
  const experiment = yield* ExperimentFile.find(o.experiment, setup.experiments)
  const settings = {
    scale: Settings.choice("--scale", o.scale, Object.fromEntries(Scale.all.map((each) => [each.name, each]))),
    threads: Settings.count("--threads", o.threads, 1, 1, setup.cores),
    seeds: Option.isSome(o.seeds) ? seedsOf(o.seeds.value) : Effect.void
  }
  yield* Settings.checkAll({ ...settings, ...more })
  const { scale, threads, seeds } = yield* Effect.all(settings)
  const backend = setup.backend(threads)
  const teacher = yield* TeacherFolder.load(
    Option.getOrElse(o.teacher, () => path.join(setup.root, "assets", "teacher")),
    64
  )
  return {
    experiment,
    scale,
    seeds: seeds ?? Array.from({ length: Math.min(experiment.seeds, scale.seeds) }, (_, i) => i),
    backend,
    materials: {
      teacher: teacher.model,
      teacherDigest: teacher.digest,
      dataset: teacher.dataset,
      backend: backend.spec
    }
  }
})
