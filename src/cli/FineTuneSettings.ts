import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import {
  type GlueName,
  glueNames,
  isGlueName,
  type OwnTaskOptions,
  readGlue,
  readOwnTask,
  type TextMetric
} from "../data/index.ts"
import { LabelMetric } from "../evaluate/index.ts"
import { ConfigError, type ConfigProblem } from "../spec/index.ts"
import * as Flags from "./Flags.ts"
import * as ReproduceSettings from "./ReproduceSettings.ts"
import * as Settings from "./Settings.ts"

const optional = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const list = (name: string, value: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("LIST"),
    Flag.withDescription(`${description} (default ${value})`),
    Flag.withDefault(value)
  )

const whole = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

/** The flags that say on what, and how, a model is fine-tuned. */
export const flags = {
  glue: optional("glue", "DIR", "folder that GLUE's official files were unpacked in"),
  task: optional("task", "name", `task of GLUE: ${glueNames.join(", ")}`),
  train: optional("train", "FILE", "file of your own to learn from: .tsv or .csv with column names, .jsonl"),
  dev: optional("dev", "FILE", "file of your own to judge on (default: a tenth of --train)"),
  textColumn: optional("text-column", "name", "column of the text"),
  secondColumn: optional("second-column", "name", "column of the second text, for pairs"),
  labelColumn: optional("label-column", "name", "column of the label"),
  labels: optional("labels", "LIST", "classes in their order, or score (default: the classes that the file has)"),
  metrics: optional(
    "metrics",
    "LIST",
    `of ${Object.keys(LabelMetric.byName).join(", ")} (default accuracy, or the correlations)`
  ),
  learningRate: list(
    "learning-rate",
    "1e-4",
    "highest learning rate, after 10 % warm-up; several are tried one after another"
  ),
  epochs: list("epochs", "1", "passes over the training texts; several are tried"),
  seeds: Flag.String("seeds").pipe(
    Flag.withMetavar("N | LIST"),
    Flag.withDescription("how many seeds (default 1), or which (0,1,2; one alone: 5,)"),
    Flag.withDefault("1")
  ),
  batch: Flags.integer("batch", 32, "texts of a batch"),
  length: whole("length", "pieces of the longest rows (default: all positions, at most 128)"),
  pooling: Flags.word(
    "pooling",
    "mean",
    "what the head reads: mean, cls, or pooler (BERT's own, which starts as the checkpoint's, if it has one)"
  ),
  examples: whole("examples", "training texts to learn from, chosen by the seed (default: all)"),
  evaluations: Flags.integer("evaluations", 1, "evaluations an epoch, of which the best counts"),
  patience: whole("patience", "evaluations without a better one after which it ends (default: never)"),
  threads: Flags.threads(2)
}

/** What the flags give. */
export interface Options {
  readonly glue: Option.Option<string>
  readonly task: Option.Option<string>
  readonly train: Option.Option<string>
  readonly dev: Option.Option<string>
  readonly textColumn: Option.Option<string>
  readonly secondColumn: Option.Option<string>
  readonly labelColumn: Option.Option<string>
  readonly labels: Option.Option<string>
  readonly metrics: Option.Option<string>
  readonly learningRate: string
  readonly epochs: string
  readonly seeds: string
  readonly batch: number
  readonly length: Option.Option<number>
  readonly pooling: string
  readonly examples: Option.Option<number>
  readonly evaluations: number
  readonly patience: Option.Option<number>
  readonly threads: number
}

/** Where a task comes from: GLUE's files, or the user's. */
export type Source =
  | { readonly kind: "glue"; readonly name: GlueName; readonly directory: string }
  | { readonly kind: "own"; readonly options: OwnTaskOptions }

/** Different numbers above 0, with commas between. */
const numbers = (flag: string, text: string, example: string): Effect.Effect<ReadonlyArray<number>, ConfigError> => {
  const values = Flags.parts(text).map((part) => (part === "" ? Number.NaN : Number(part)))
  const legal = values.every((value) => Number.isFinite(value) && value > 0) && new Set(values).size === values.length
  return Effect.as(
    Settings.check(flag, text, legal, "a number above 0, or different ones with commas between", example),
    values
  )
}

/** The learning rates, passes and seeds that are tried. */
export const grid = (o: Pick<Options, "learningRate" | "epochs" | "seeds">) => ({
  learningRates: numbers("--learning-rate", o.learningRate, "1e-4,5e-5"),
  epochs: numbers("--epochs", o.epochs, "1,3"),
  seeds: ReproduceSettings.seedsOf(o.seeds)
})

const poolings = { mean: "mean", cls: "cls", pooler: "pooler" } as const

/** All other settings by themselves. */
export const single = (o: Options, cores: number) => ({
  batch: Settings.count("--batch", o.batch, 32),
  length: Settings.optionalCount("--length", o.length, 128, 8),
  pooling: Settings.choice<(typeof poolings)[keyof typeof poolings]>("--pooling", o.pooling, poolings),
  examples: Settings.optionalCount("--examples", o.examples, 1000),
  evaluations: Settings.count("--evaluations", o.evaluations, 1),
  patience: Settings.optionalCount("--patience", o.patience, 2),
  threads: Settings.count("--threads", o.threads, 2, 1, cores)
})

const isMetric = (name: string): name is TextMetric => Object.hasOwn(LabelMetric.byName, name)

const refuse = (key: string, value: string, bound: string, remedy: string): ConfigProblem => ({
  key,
  value,
  bound,
  remedy
})

/** Problems of flags that only a task of one's own has. */
const forOwnOnly = (o: Options): ReadonlyArray<ConfigProblem> =>
  (
    [
      ["--train", o.train],
      ["--dev", o.dev],
      ["--text-column", o.textColumn],
      ["--second-column", o.secondColumn],
      ["--label-column", o.labelColumn],
      ["--labels", o.labels],
      ["--metrics", o.metrics]
    ] as const
  ).flatMap(([flag, given]) =>
    Option.match(given, {
      onNone: () => [],
      onSome: (value) => [
        refuse(flag, value, "left out with --glue", "give either a task of GLUE or files of your own")
      ]
    })
  )

const glueSource = (directory: string, o: Options): Effect.Effect<Source, ConfigError> => {
  const name = Option.getOrElse(o.task, () => "nothing")
  const problems = [
    ...(isGlueName(name)
      ? []
      : [refuse("--task", name, `one of ${glueNames.join(", ")}`, "use for example --task sst2")]),
    ...forOwnOnly(o)
  ]
  return problems.length === 0 && isGlueName(name)
    ? Effect.succeed({ kind: "glue", name, directory })
    : Effect.fail(new ConfigError({ problems }))
}

const ownSource = (train: string, o: Options): Effect.Effect<Source, ConfigError> => {
  const needed = (flag: string, given: Option.Option<string>, of: string) =>
    Option.isSome(given) ? [] : [refuse(flag, "nothing", `the column of ${of}`, `name the column with ${flag}`)]
  const metrics = Option.map(o.metrics, Flags.parts)
  const unknown = Option.getOrElse(metrics, (): ReadonlyArray<string> => []).filter((name) => !isMetric(name))
  const names = Object.keys(LabelMetric.byName).join(", ")
  const problems = [
    ...Option.match(o.task, {
      onNone: () => [],
      onSome: (task) => [
        refuse("--task", task, "left out with --train", "give either a task of GLUE or files of your own")
      ]
    }),
    ...needed("--text-column", o.textColumn, "the text"),
    ...needed("--label-column", o.labelColumn, "the label"),
    ...(unknown.length === 0
      ? []
      : [refuse("--metrics", unknown.join(","), `of ${names}`, "use for example --metrics accuracy")])
  ]
  if (problems.length > 0) return Effect.fail(new ConfigError({ problems }))
  return Effect.succeed({
    kind: "own",
    options: {
      train,
      ...Option.match(o.dev, { onNone: () => ({}), onSome: (dev) => ({ dev }) }),
      columns: {
        text: Option.getOrElse(o.textColumn, () => ""),
        label: Option.getOrElse(o.labelColumn, () => ""),
        ...Option.match(o.secondColumn, { onNone: () => ({}), onSome: (second) => ({ second }) })
      },
      ...Option.match(o.labels, {
        onNone: () => ({}),
        onSome: (labels) => ({ labels: labels === "score" ? "score" : Flags.parts(labels) }) as const
      }),
      ...Option.match(metrics, { onNone: () => ({}), onSome: (given) => ({ metrics: given.filter(isMetric) }) })
    }
  })
}

/** Where the task comes from; fails with all that is wrong with the flags that say so. */
export const source = (o: Options): Effect.Effect<Source, ConfigError> => {
  if (Option.isSome(o.glue)) return glueSource(o.glue.value, o)
  if (Option.isSome(o.train)) return ownSource(o.train.value, o)
  return Effect.fail(
    new ConfigError({
      problems: [
        refuse(
          Option.isSome(o.task) ? "--glue" : "--train",
          "nothing",
          "what to fine-tune on: --glue DIR with --task, or --train FILE with --text-column and --label-column",
          "use for example --glue GLUE --task sst2"
        )
      ]
    })
  )
}

const flagOf = (problem: ConfigProblem): ConfigProblem => ({
  ...problem,
  key: problem.key === "format" ? "--train" : `--${problem.key}`
})

/** The task that the flags name, read from its files. Fails as `readGlue` and `readOwnTask` do. */
export const read = (from: Source) =>
  from.kind === "glue"
    ? readGlue(from.name, from.directory)
    : readOwnTask(from.options).pipe(
        Effect.catchTag("ConfigError", ({ problems }) => new ConfigError({ problems: problems.map(flagOf) }))
      )
