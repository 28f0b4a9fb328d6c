import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { HuggingFace } from "../checkpoint/index.ts"
import { heldOutBatches, loadDataset, loadTokenizer, tokenizerDirectory } from "../data/index.ts"
import { HeldOut } from "../evaluate/index.ts"
import { withExitCodes } from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as PretrainingRun from "./PretrainingRun.ts"
import * as Provenance from "./Provenance.ts"
import * as Settings from "./Settings.ts"
import { Setup } from "./Setup.ts"
import * as TeacherRecipe from "./TeacherRecipe.ts"

const { micro } = TeacherRecipe

const flags = {
  out: Flag.String("out").pipe(Flag.withMetavar("DIR"), Flag.withDescription("folder to write the teacher to")),
  steps: Flags.integer("steps", micro.steps, "training steps"),
  seed: Flags.integer("seed", micro.seed, "seed of everything random"),
  layers: Flags.integer("layers", micro.layers, "layers"),
  hidden: Flags.integer("hidden", micro.hidden, "hidden width; the feed-forward width is four times it"),
  heads: Flags.integer("heads", micro.heads, "attention heads; they divide the hidden width"),
  causalShare: Flags.number("causal-share", micro.causalShare, "share of the steps that predict the next piece first"),
  maskRate: Flags.number("mask-rate", micro.maskRate, "share of pieces that are masked"),
  dropout: Flags.number("dropout", micro.dropout, "dropout of hidden states"),
  learningRate: Flags.number("learning-rate", micro.learningRate, "highest learning rate"),
  batch: Flags.integer("batch", micro.batch, "rows of a batch"),
  every: Flags.integer("every", micro.every, "steps between two evaluations on held-out text"),
  threads: Flags.threads(2),
  quiet: Flags.quiet
}

const between = (flag: string, value: number, legal: boolean, bound: string, example: number) =>
  Settings.check(flag, value, Number.isFinite(value) && legal, bound, example)

const settingsOf = (o: TeacherRecipe.RecipeOptions & { readonly threads: number }, cores: number) => ({
  steps: Settings.count("--steps", o.steps, micro.steps),
  seed: Settings.count("--seed", o.seed, micro.seed, 0),
  layers: Settings.count("--layers", o.layers, micro.layers),
  hidden: Settings.check(
    "--hidden",
    o.hidden,
    Number.isInteger(o.hidden) && o.hidden > 0 && o.hidden % Math.max(1, o.heads) === 0,
    `a multiple of --heads (${o.heads})`,
    micro.hidden
  ),
  heads: Settings.count("--heads", o.heads, micro.heads),
  causalShare: between("--causal-share", o.causalShare, o.causalShare >= 0 && o.causalShare <= 1, "in [0, 1]", 0.28),
  maskRate: between("--mask-rate", o.maskRate, o.maskRate > 0 && o.maskRate <= 1, "in (0, 1]", 0.25),
  dropout: between("--dropout", o.dropout, o.dropout >= 0 && o.dropout < 1, "in [0, 1)", 0.05),
  learningRate: between("--learning-rate", o.learningRate, o.learningRate > 0, "above 0", 1e-3),
  batch: Settings.count("--batch", o.batch, micro.batch),
  every: Settings.count("--every", o.every, micro.every),
  threads: Settings.count("--threads", o.threads, 2, 1, cores)
})

/** `homodistil pretrain`: trains a teacher on the Brown corpus and writes it as a Hugging Face directory. */
export const command = Command.make("pretrain", flags, ({ out, quiet, ...o }) =>
  Effect.gen(function* () {
    const started = yield* Clock.currentTimeMillis
    const setup = yield* Setup
    yield* Settings.checkAll(settingsOf(o, setup.cores))
    const folder = yield* tokenizerDirectory
    const tokenizer = yield* loadTokenizer(folder)
    const dataset = yield* loadDataset({ tokenizer })
    const pretraining = yield* Settings.attempt({}, () => TeacherRecipe.make(o, dataset))
    yield* HuggingFace.writable(out)
    const tokenizerFiles = yield* HuggingFace.readTokenizerFiles(folder)
    const backend = setup.backend(o.threads)
    const test = HeldOut.withoutTeacher(heldOutBatches(dataset, { split: "test", count: 1024, rows: 128 }).batches)

    const { causalShare, maskRate, learningRate, threads, ...rest } = o
    const command = Provenance.commandLine("pretrain", {
      ...rest,
      "causal-share": causalShare,
      "mask-rate": maskRate,
      "learning-rate": learningRate,
      threads
    })
    const { seed } = o
    yield* PretrainingRun.run({
      pretraining,
      test,
      dataset,
      tokenizer,
      tokenizerFiles,
      backend,
      out,
      command,
      seed,
      started,
      quiet
    })
  })
).pipe(
  Command.withDescription(
    withExitCodes(
      "Train a teacher on the Brown corpus: a causal warm start, then masked language modelling. The defaults make the teacher " +
        `that comes with homodistil, byte for byte on the same machine.`
    )
  ),
  Command.withShortDescription("Train a teacher"),
  Command.withExamples([
    {
      command: "homodistil pretrain --out my-teacher",
      description: "The micro teacher again: about twenty minutes on two cores"
    },
    { command: "homodistil pretrain --out small --layers 2 --hidden 64 --steps 4000", description: "A smaller one" }
  ])
)
