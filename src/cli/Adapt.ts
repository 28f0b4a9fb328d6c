import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace } from "../checkpoint/index.ts"
import { heldOutBatches, trainingBatches } from "../data/index.ts"
import type { Pretraining } from "../distill/index.ts"
import { HeldOut } from "../evaluate/index.ts"
import { Head } from "../model/index.ts"
import { adamW } from "../optimizer/index.ts"
import { Schedule } from "../schedule/index.ts"
import { Seed } from "../spec/index.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as PretrainingRun from "./PretrainingRun.ts"
import * as Provenance from "./Provenance.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherFolder from "./TeacherFolder.ts"

const defaults = { steps: 1000, batch: 16, length: 64, learningRate: 1e-3, every: 200, test: 256 }

const flags = {
  model: Flag.String("model").pipe(
    Flag.withMetavar("DIR"),
    Flag.withDescription("Hugging Face directory of a BERT; one without a masked-language-model head gets a new one")
  ),
  out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write the adapted model to")),
  text: Flags.text,
  encoder: Flags.word("encoder", "frozen", "frozen (only the head is trained) or trained"),
  steps: Flags.integer("steps", defaults.steps, "training steps"),
  batch: Flags.integer("batch", defaults.batch, "rows of a batch"),
  length: Flags.integer("length", defaults.length, "pieces of a row"),
  learningRate: Flags.number("learning-rate", defaults.learningRate, "highest learning rate, after 5 % warm-up"),
  every: Flags.integer("every", defaults.every, "steps between two evaluations on held-out text"),
  seed: Flags.integer("seed", 0, "seed of everything random"),
  threads: Flags.threads(2),
  quiet: Flags.quiet
}

const settingsOf = (
  o: { readonly [name in keyof typeof flags]: unknown } & {
    readonly encoder: string
    readonly steps: number
    readonly batch: number
    readonly length: number
    readonly learningRate: number
    readonly every: number
    readonly seed: number
    readonly threads: number
  },
  cores: number
) => ({
  encoder: Settings.choice("--encoder", o.encoder, { frozen: true, trained: false }),
  steps: Settings.count("--steps", o.steps, defaults.steps),
  batch: Settings.count("--batch", o.batch, defaults.batch),
  length: Settings.count("--length", o.length, defaults.length, 8, 512),
  learningRate: Settings.check("--learning-rate", o.learningRate, o.learningRate > 0, "above 0", 1e-3),
  every: Settings.count("--every", o.every, defaults.every),
  seed: Settings.count("--seed", o.seed, 0, 0),
  threads: Settings.count("--threads", o.threads, 2, 1, cores)
})

/** `homodistil adapt`: trains a masked-language-model head, or a whole model, on text, so that it can be a teacher. */
export const command = Command.make("adapt", flags, ({ model: folder, out, quiet, ...o }) =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const setup = yield* Setup
    const settings = settingsOf({ ...o, model: folder, out, quiet }, setup.cores)
    yield* Settings.checkAll(settings)
    const frozen = yield* settings.encoder
    const files = Flags.files(o.text)
    const read = yield* TeacherFolder.load(
      folder,
      o.length,
      { files, validation: 1, test: defaults.test },
      {
        key: "--model",
        bare: true
      }
    )
    const { dataset, tokenizer, tokenizerFiles } = read
    const seed = Seed.make(o.seed)
    const { config, parameters, pooler } = Head.add(read.model, Seed.child(seed, "head"))
    const pretraining: Pretraining.PretrainingOptions = {
      config,
      steps: o.steps,
      causalShare: 0,
      dropout: { hidden: 0, attention: 0 },
      optimizer: adamW({ beta2: 0.999 }),
      learningRate: Schedule.linearDecayWithWarmup({ peak: o.learningRate, warmup: 0.05, steps: o.steps }),
      positions: "normal",
      from: { parameters, digest: read.digest },
      ...(frozen ? { frozen: "encoder" as const } : {}),
      seed,
      batches: trainingBatches(dataset, { rows: o.batch, length: o.length, maskRate: 0.15 }),
      every: o.every
    }
    yield* HuggingFace.writable(out)
    const backend = setup.backend(o.threads)
    const rows = 32
    const test = HeldOut.withoutTeacher(
      heldOutBatches(dataset, { split: "test", count: defaults.test, rows, length: o.length }).batches
    )

    const { learningRate, text: _, ...rest } = o
    const command = Provenance.commandLine("adapt", {
      model: folder,
      ...(files.length === 0 ? {} : { text: files.join(",") }),
      ...rest,
      "learning-rate": learningRate
    })
    yield* PretrainingRun.run({
      pretraining,
      test,
      dataset,
      tokenizer,
      tokenizerFiles,
      // what it reads moves with the encoder, and no loss of text moves it along
      ...(frozen && pooler !== undefined ? { pooler } : {}),
      backend,
      out,
      command,
      seed: o.seed,
      started,
      quiet
    })
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Train the masked-language-model head of a BERT on text, its encoder frozen or not. Sentence encoders come without that head, and the usual " +
        "loss of distillation needs it of a teacher. The text is the Brown corpus unless you give files of your own, beside it or alone."
    )
  ),
  Command.withShortDescription("Train the head of a BERT on text, so that it can be a teacher"),
  Command.withExamples([
    {
      command: "homodistil adapt --model my-encoder --out my-teacher",
      description: "A new head, the encoder as it is"
    },
    {
      command:
        "homodistil adapt --model my-encoder --out my-teacher --encoder trained --text texts.jsonl.gz --learning-rate 1e-4",
      description: "All of it, on your own text"
    },
    {
      command: "homodistil adapt --model my-encoder --out my-teacher --encoder trained --text brown,tasks.txt",
      description: "On Brown and the texts of your tasks"
    }
  ])
)
