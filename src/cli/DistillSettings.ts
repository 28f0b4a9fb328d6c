import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import { DistillPlan, LearningRate, Method, Projection, PruningMode, Training } from "../distill/index.ts"
import * as Scorer from "../importance/index.ts"
import * as Loss from "../loss/index.ts"
import { RemainingRatio } from "../pruning/index.ts"
import { ConfigError } from "../spec/index.ts"
import * as Flags from "./Flags.ts"
import * as Scorers from "./Scorers.ts"
import * as Settings from "./Settings.ts"

const optional = (name: string, description: string) =>
  Flag.Finite(name).pipe(Flag.withMetavar("number"), Flag.withDescription(description), Flag.optional)

const ratios = {
  cubic: RemainingRatio.cubic,
  linear: RemainingRatio.linear,
  "one-shot": ({ final }: RemainingRatio.FallOptions) => RemainingRatio.oneShot({ final }),
  constant: () => RemainingRatio.constant()
}

const modes = {
  hard: PruningMode.hard,
  masked: PruningMode.masked(),
  regrowth: PruningMode.masked({ regrowth: true }),
  unstructured: PruningMode.unstructured
}

type Scale = "raw" | "teacherVariance"

const losses = {
  homodistil: (scale: Scale) => Loss.homoDistil({ scale }),
  features: (scale: Scale) => Loss.homoDistil({ mlm: 0, kl: 0, scale }),
  relations: () => Loss.sum(Loss.attentionDistribution(), Loss.valueRelation())
}

/** Whether a loss looks at predictions: those that do need a masked-language-model head, and masked text. */
export const predicts = ({ loss }: Pick<DistillPlan.DistillPlan, "loss">): boolean => loss.taps.includes("logits")

const scales = { teacherVariance: "teacherVariance", raw: "raw" } as const

const names = (table: object): string => Object.keys(table).join(", ")

/** The flags that shape a distillation. */
export const flags = {
  scorer: Flags.word("scorer", "platon", `importance score: ${names(Scorers.scorers)}`),
  window: Flag.Int("window").pipe(
    Flag.withDescription("steps a score is averaged over (default 10), where the scorer has a window"),
    Flag.optional
  ),
  beta1: optional("beta1", "PLATON's smoothing of the sensitivity (default .85)"),
  beta2: optional("beta2", "PLATON's smoothing of the uncertainty (default .95)"),
  ratio: optional("ratio", "share that remains of the units of every axis, or of single weights (default .25)"),
  schedule: Flags.word("schedule", "cubic", `how the ratio falls: ${names(ratios)} (constant prunes nothing)`),
  start: optional("start", "share of the steps before pruning starts (default 0)"),
  end: optional("end", "share of the steps after which the ratio is final (default .3)"),
  pruneEvery: Flags.integer("prune-every", 10, "steps between two prunings"),
  steps: Flags.integer("steps", 400, "training steps"),
  batch: Flags.integer("batch", 16, "rows of a batch"),
  learningRate: Flags.number("learning-rate", 6e-3, "highest learning rate, after 5 % warm-up"),
  mode: Flags.word(
    "mode",
    "hard",
    "what pruning does: hard (cuts), masked (silences), regrowth (silences; units may come back), unstructured (zeroes single weights, which may come back)"
  ),
  loss: Flags.word(
    "loss",
    "homodistil",
    "what is distilled: homodistil (predictions, hidden states, attention, embedding), features (the last three) or relations (MiniLM's, of the last layer's attention and values); but for homodistil no head is needed or written, and text is not masked"
  ),
  attentionScale: Flags.word(
    "attention-scale",
    "teacherVariance",
    `unit of attention errors: ${names(scales)} (the paper's)`
  ),
  seed: Flags.integer("seed", 0, "seed of everything random")
}

/** What the flags give. */
export interface Options {
  readonly scorer: string
  readonly window: Option.Option<number>
  readonly beta1: Option.Option<number>
  readonly beta2: Option.Option<number>
  readonly ratio: Option.Option<number>
  readonly schedule: string
  readonly start: Option.Option<number>
  readonly end: Option.Option<number>
  readonly pruneEvery: number
  readonly steps: number
  readonly batch: number
  /** Pieces of a row; 64 unless given. */
  readonly length?: number
  readonly learningRate: number
  readonly mode: string
  readonly loss: string
  readonly attentionScale: string
  readonly seed: number
}

const calledOnTheCommandLine: Settings.Flags = {
  final: ["--ratio", 0.25],
  start: ["--start", 0],
  end: ["--end", 0.3],
  steps: ["--steps", 400],
  rows: ["--batch", 16],
  length: ["--length", 64],
  pruneEvery: ["--prune-every", 10],
  peak: ["--learning-rate", 6e-3]
}

const attempt = <A>(make: () => A) => Settings.attempt(calledOnTheCommandLine, make)

const given = <K extends string>(key: K, value: Option.Option<number>): { readonly [P in K]?: number } => {
  const none: { readonly [P in K]?: number } = {}
  return Option.isNone(value) ? none : { ...none, [key]: value.value }
}

/** A schedule takes some of `--ratio`, `--start` and `--end`; the others must be left out. */
const takes: { readonly [schedule: string]: ReadonlyArray<"ratio" | "start" | "end"> } = {
  cubic: ["ratio", "start", "end"],
  linear: ["ratio", "start", "end"],
  "one-shot": ["ratio"],
  constant: []
}

const ratioOf = (o: Options): Effect.Effect<RemainingRatio.RemainingRatio, ConfigError> =>
  Effect.flatMap(
    Settings.choice<(options: RemainingRatio.FallOptions) => RemainingRatio.RemainingRatio>(
      "--schedule",
      o.schedule,
      ratios
    ),
    (make) => {
      const useless = (["ratio", "start", "end"] as const).filter(
        (key) => Option.isSome(o[key]) && !(takes[o.schedule] ?? []).includes(key)
      )
      const problems = useless.map((key) => ({
        key: `--${key}`,
        value: String(Option.getOrNull(o[key])),
        bound: `left out with --schedule ${o.schedule}`,
        remedy: "use --schedule cubic, or leave it out"
      }))
      if (problems.length > 0) return Effect.fail(new ConfigError({ problems }))
      return attempt(() =>
        make({
          final: Option.getOrElse(o.ratio, () => 0.25),
          ...given("start", o.start),
          ...((takes[o.schedule] ?? []).includes("end") ? { end: Option.getOrElse(o.end, () => 0.3) } : {})
        })
      )
    }
  )

const lossOf = (o: Options): Effect.Effect<Loss.DistillationLoss, ConfigError> =>
  Effect.gen(function* () {
    const parts = {
      loss: Settings.choice<(scale: Scale) => Loss.DistillationLoss>("--loss", o.loss, losses),
      scale: Settings.choice<Scale>("--attention-scale", o.attentionScale, scales)
    }
    yield* Settings.checkAll(parts)
    const { loss, scale } = yield* Effect.all(parts)
    if (o.loss === "relations" && scale !== "teacherVariance")
      return yield* new ConfigError({
        problems: [
          {
            key: "--attention-scale",
            value: o.attentionScale,
            bound: "left out with --loss relations, which compares distributions",
            remedy: "leave it out, or use --loss features"
          }
        ]
      })
    return loss(scale)
  })

/** The components that the flags ask for; a `ConfigError` names every flag that is wrong. */
export const plan = (o: Options): Effect.Effect<DistillPlan.DistillPlan, ConfigError> =>
  Effect.gen(function* () {
    const parts = {
      scorer: Scorers.scorer(o.scorer, {
        ...given("window", o.window),
        ...given("beta1", o.beta1),
        ...given("beta2", o.beta2)
      }),
      ratio: ratioOf(o),
      training: attempt(() =>
        Training.make({
          steps: o.steps,
          rows: o.batch,
          pruneEvery: o.pruneEvery,
          ...(o.length === undefined ? {} : { length: o.length }),
          // features are those of text as it is read later
          ...(o.loss === "homodistil" ? {} : { maskRate: 0 })
        })
      ),
      learningRate: attempt(() => LearningRate.linearDecay({ peak: o.learningRate, warmup: 0.05 })),
      mode: Settings.choice("--mode", o.mode, modes),
      loss: lossOf(o),
      seed: Settings.count("--seed", o.seed, 0, 0)
    }
    yield* Settings.checkAll(parts)
    const made = yield* Effect.all(parts)
    const plan = yield* DistillPlan.resolve.pipe(
      Effect.provide(
        Layer.mergeAll(
          Method.homoDistil(),
          Scorer.layer(made.scorer),
          RemainingRatio.layer(made.ratio),
          Training.layer(made.training),
          LearningRate.layer(made.learningRate),
          PruningMode.layer(made.mode),
          Loss.layer(made.loss),
          Projection.layer(o.loss === "relations" ? Projection.none : Projection.make())
        )
      )
    )
    yield* attempt(() => DistillPlan.ratio(plan))
    return plan
  })

/** The settings by flag, for the command line that makes a student again. */
export const written = (o: Options): { readonly [flag: string]: string | number | undefined } => ({
  scorer: o.scorer,
  window: Option.getOrUndefined(o.window),
  beta1: Option.getOrUndefined(o.beta1),
  beta2: Option.getOrUndefined(o.beta2),
  ratio: Option.getOrUndefined(o.ratio),
  schedule: o.schedule,
  start: Option.getOrUndefined(o.start),
  end: Option.getOrUndefined(o.end),
  "prune-every": o.pruneEvery,
  steps: o.steps,
  batch: o.batch,
  length: o.length,
  "learning-rate": o.learningRate,
  mode: o.mode,
  loss: o.loss,
  "attention-scale": o.attentionScale,
  seed: o.seed
})
