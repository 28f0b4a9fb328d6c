import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { OnnxBackend } from "../backend/index.ts"
import { HuggingFace } from "../checkpoint/index.ts"
import { loadDataset, loadTokenizer, trainingBatches } from "../data/index.ts"
import { DistillPlan, Method, PruningMode } from "../distill/index.ts"
import { TraceBatches, TraceRun } from "../experiment/index.ts"
import * as Scorer from "../importance/index.ts"
import * as Loss from "../loss/index.ts"
import { BertConfig, type Model, Parameters } from "../model/index.ts"
import { Seed } from "../spec/index.ts"

const scorers = { platon: Scorer.platon, sensitivity: Scorer.sensitivity, magnitude: Scorer.magnitude }
const modes = { hard: PruningMode.hard, masked: PruningMode.masked() }

/** The settings of a recorded run. */
export interface TraceSettings {
  readonly out: string
  /** A Hugging Face directory, or `random`: two layers of width 64 with random weights. */
  readonly teacher: string
  readonly tokenizer: string
  readonly scorer: keyof typeof scorers
  readonly ratio: number
  readonly steps: number
  readonly pruneEvery: number
  readonly rows: number
  readonly length: number
  readonly attention: "raw" | "teacherVariance"
  readonly text: TraceBatches.Kind
  readonly mode: keyof typeof modes
  readonly threads: number
  readonly seed: number
}

/** The settings unless given: 50 steps of the micro setting with prunings after 20 and 35 of them. */
export const defaults: Omit<TraceSettings, "out"> = {
  teacher: "assets/teacher",
  tokenizer: "assets/tokenizer",
  scorer: "platon",
  ratio: 0.25,
  steps: 50,
  pruneEvery: 20,
  rows: 16,
  length: 64,
  attention: "teacherVariance",
  text: "corpus",
  mode: "hard",
  threads: 2,
  seed: 0
}

/** Random weights four times as large as BERT's, so that attention has something to say. */
const randomTeacher = (vocabSize: number): Model.Model => {
  const config = BertConfig.uniform({ vocabSize, positions: 64, layers: 2, heads: 4, hidden: 64, ffn: 256 })
  const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("trace teacher"))
  const louder = Object.entries(parameters).map(
    ([name, value]) => [name, value.shape.length > 1 ? { ...value, data: value.data.map((x) => 4 * x) } : value] as const
  )
  return { config, parameters: Object.fromEntries(louder) }
}

/** The components a trace is recorded with. */
const methodOf = (o: TraceSettings): Method.Method =>
  Layer.mergeAll(
    Method.homoDistil({
      ratio: o.ratio,
      training: { steps: o.steps, pruneEvery: o.pruneEvery, rows: o.rows, length: o.length }
    }),
    Loss.layer(Loss.homoDistil({ scale: o.attention })),
    Scorer.layer(scorers[o.scorer]()),
    PruningMode.layer(modes[o.mode])
  )

/** Records a distillation into a folder, for a program that repeats it elsewhere and compares. */
export const traceRun = Effect.fn("traceRun")(function* (o: TraceSettings) {
  yield* TraceRun.writable(o.out)
  const plan = yield* DistillPlan.resolve.pipe(Effect.provide(methodOf(o)))
  const tokenizer = yield* loadTokenizer(o.tokenizer)
  const dataset = yield* loadDataset({ tokenizer })
  const teacher =
    o.teacher === "random" ? randomTeacher(dataset.vocabulary.length) : yield* HuggingFace.read(o.teacher, "--teacher")
  const { rows, length, maskRate } = plan.training
  const { clean } = trainingBatches(dataset, { rows, length, maskRate })
  const batch = TraceBatches.of(o.text, { clean, vocabulary: dataset.vocabulary.length, maskRate })
  const files = yield* TraceRun.record({ plan, teacher, seed: Seed.make(o.seed), batch }).pipe(
    Effect.provide(OnnxBackend.layer({ threads: o.threads }))
  )
  yield* TraceRun.write(o.out, files)
})

const choice = <const C extends string>(name: string, choices: ReadonlyArray<C>, value: C, what: string) =>
  Flag.Literals(name, choices).pipe(Flag.withDefault(value), Flag.withDescription(what))
const count = (name: string, value: number, what: string) =>
  Flag.Int(name).pipe(Flag.withDefault(value), Flag.withDescription(what))
const text = (name: string, value: string, what: string) =>
  Flag.String(name).pipe(Flag.withDefault(value), Flag.withDescription(what))

/** `homodistil trace-run`: records a run for the parity check. */
export const command = Command.make(
  "trace-run",
  {
    out: Flag.String("out").pipe(Flag.withDescription("folder of the trace")),
    teacher: text("teacher", defaults.teacher, "folder of the teacher, or: random"),
    tokenizer: text("tokenizer", defaults.tokenizer, "folder of the tokenizer"),
    scorer: choice("scorer", ["platon", "sensitivity", "magnitude"], defaults.scorer, "importance scorer"),
    ratio: Flag.Finite("ratio").pipe(Flag.withDefault(defaults.ratio), Flag.withDescription("remaining ratio at the end")),
    steps: count("steps", defaults.steps, "steps"),
    pruneEvery: count("prune-every", defaults.pruneEvery, "steps between two prunings"),
    rows: count("rows", defaults.rows, "rows of a batch"),
    length: count("length", defaults.length, "pieces of a row"),
    attention: choice("attention", ["raw", "teacherVariance"], defaults.attention, "scale of the attention loss"),
    text: choice("text", TraceBatches.kinds, defaults.text, "text of the batches"),
    mode: choice("mode", ["hard", "masked"], defaults.mode, "pruning mode"),
    threads: count("threads", defaults.threads, "threads of the native runtime"),
    seed: count("seed", defaults.seed, "seed")
  },
  Effect.fn(function* (settings) {
    yield* traceRun(settings)
    yield* Console.log(`wrote ${settings.out}`)
  })
).pipe(
  Command.withDescription("Record a distillation (weights, batches, losses, prunings) for the parity check with PyTorch"),
  Command.withExamples([
    { command: "homodistil trace-run --out runs/trace", description: "50 steps with two prunings" },
    {
      command: "homodistil trace-run --out runs/trace --teacher random --scorer magnitude",
      description: "Without a trained teacher"
    }
  ])
)
