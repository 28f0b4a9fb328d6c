import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { encodeTask, type EncodedTask, type TextTask } from "../data/index.ts"
import { TextGrid } from "../evaluate/index.ts"
import type { Model } from "../model/index.ts"
import { Spec } from "../spec/index.ts"
import * as ClassifierFolder from "./ClassifierFolder.ts"
import { withExitCodes } from "./Failure.ts"
import * as FineTuneSettings from "./FineTuneSettings.ts"
import * as FineTuningView from "./FineTuningView.ts"
import * as Flags from "./Flags.ts"
import * as ModelFolder from "./ModelFolder.ts"
import * as Progress from "./Progress.ts"
import { Screen } from "./Screen.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as Words from "./Words.ts"

/** What is read: how many texts, how many of them are cut, and which rows were left out. */
const outline = ({ title, train, dev }: TextTask, encoded: EncodedTask, examples = Infinity): string => {
  const all = Words.counted(train.texts.length, "text")
  const some = examples < train.texts.length ? `${examples} of ${all}` : all
  const judged = dev.map(({ texts }) => texts.length).join(" + ")
  const cut = [encoded.train, ...encoded.dev].reduce((sum, split) => sum + split.cut, 0)
  const shorter = cut === 0 ? "" : `; ${cut} cut to ${encoded.longest} pieces`
  const leftOut = [train, ...dev].flatMap(({ file, leftOut: { count: rows, problems } }) => {
    const [first] = problems
    return first === undefined
      ? []
      : [
          `${file}: ${Words.counted(rows, "row")} left out, first line ${first.line}: ${first.field} must be ${first.bound}`
        ]
  })
  return [`${title}: ${some} to learn from, ${judged} to judge on${shorter}`, ...leftOut, ""].join("\n")
}

/** Where the pooler starts, for who reads along and for the model's provenance; nothing where none is read. */
const poolerStart = (model: Model.Model, pooling: string) =>
  pooling !== "pooler"
    ? undefined
    : model.pooler === undefined
      ? { from: "random", told: "the pooler starts at random, for the model has none\n" }
      : { from: "model", told: "the pooler starts as the model's own\n" }

/** Its pooler is what Hugging Face's own class reads. */
const poolingFor = (out: Option.Option<string>, pooling: string) =>
  Settings.check(
    "--pooling",
    pooling,
    Option.isNone(out) || pooling === "pooler",
    "pooler with --out, for it is what BertForSequenceClassification reads",
    "pooler"
  )

/** `homodistil fine-tune`: how well a model does on a task of labelled text once all its weights are trained on it. */
export const command = Command.make(
  "fine-tune",
  {
    model: Flag.String("model").pipe(Flag.withMetavar("DIR"), Flag.withDescription("Hugging Face directory of a BERT")),
    ...FineTuneSettings.flags,
    out: Flag.String("out").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription(
        "folder to write the best model to, a BertForSequenceClassification (needs --pooling pooler)"
      ),
      Flag.optional
    ),
    quiet: Flags.quiet
  },
  ({ model: folder, out, quiet, ...o }) =>
    Effect.gen(function* () {
      const started = yield* Clock.currentTimeMillis
      const setup = yield* Setup
      const screen = yield* Screen
      const settings = FineTuneSettings.single(o, setup.cores)
      const asked = FineTuneSettings.grid(o)
      const from = FineTuneSettings.source(o)
      yield* Settings.checkAll({ from, ...asked, ...settings, reads: poolingFor(out, o.pooling) })
      const grid: TextGrid.TextGrid = yield* Effect.all(asked)
      const pooling = yield* settings.pooling

      const { model, digest, tokenizer, tokenizerFiles } = yield* ModelFolder.read(folder, "--model")
      const { positions, vocabSize } = model.config
      const usual = Math.min(128, positions)
      const length = yield* Settings.count(
        "--length",
        Option.getOrElse(o.length, () => usual),
        usual,
        8,
        positions
      )
      if (Option.isSome(out)) yield* ClassifierFolder.writable(out.value, model.config)
      const task = yield* FineTuneSettings.read(yield* from)
      // a table of embeddings may have more rows than the tokenizer has pieces
      const encoded = { ...encodeTask(task, tokenizer, length), vocabulary: vocabSize }
      const pooler = poolerStart(model, pooling)
      if (!quiet) yield* screen.error(outline(task, encoded, Option.getOrUndefined(o.examples)) + (pooler?.told ?? ""))

      const backend = setup.backend(o.threads)
      const options = {
        rows: o.batch,
        pooling,
        evaluations: o.evaluations,
        ...Option.match(o.examples, { onNone: () => ({}), onSome: (examples) => ({ examples }) }),
        ...Option.match(o.patience, { onNone: () => ({}), onSome: (patience) => ({ patience }) })
      }
      const found = yield* Effect.gen(function* () {
        const emit = yield* Progress.fineTuning(TextGrid.trials(grid), quiet)
        return yield* TextGrid.run(encoded, options, grid, model, emit)
      }).pipe(Effect.scoped, Effect.provide(backend.layer))
      const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
      yield* screen.out(
        [
          ...FineTuningView.table(encoded, found.trials),
          "",
          `${FineTuningView.winner(encoded, found)}, in ${Words.duration(seconds)}`,
          ""
        ].join("\n")
      )
      if (Option.isNone(out)) return
      yield* ClassifierFolder.write(out.value, {
        config: model.config,
        parameters: found.parameters,
        labels: task.labels,
        tokenizerFiles,
        provenance: {
          model: digest,
          tokenizer: tokenizer.digest,
          task: Spec.toJson(encoded.spec),
          options: { ...options, length },
          ...(pooler === undefined ? {} : { pooler: pooler.from }),
          grid: { ...grid },
          trials: found.best.map(({ learningRate, epochs, seed, best }) => ({
            learningRate,
            epochs,
            seed,
            ...(best === undefined ? {} : { score: best.score })
          })),
          backend: Spec.describe(backend.spec),
          versions: setup.versions,
          seconds: Math.round(seconds)
        }
      })
      yield* screen.out(`Written to ${out.value}.\n`)
    })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Fine-tune a BERT on labelled text and tell how well it then does: one of GLUE's tasks in its official files, or a table of your own. " +
        "All weights are trained, in batches of alike length; several learning rates, epochs and seeds make a grid."
    )
  ),
  Command.withShortDescription("Fine-tune a model on a task of labelled text"),
  Command.withExamples([
    {
      command: "homodistil fine-tune --model student --glue GLUE --task sst2",
      description: "One pass over SST-2, judged on its dev file"
    },
    {
      command:
        "homodistil fine-tune --model student --glue GLUE --task mrpc --learning-rate 1e-4,5e-5 --epochs 3 --seeds 3",
      description: "Two learning rates, three seeds each: means and deviations"
    },
    {
      command:
        "homodistil fine-tune --model student --train reviews.jsonl --text-column review --label-column stars --pooling pooler --out rater",
      description: "A task of your own, written for transformers"
    }
  ])
)
