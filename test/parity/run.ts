import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { OnnxBackend } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { loadDataset, loadTokenizer, trainingBatches } from "homodistil/data"
import { DistillPlan, LearningRate, Method, PruningMode } from "homodistil/distill"
import { TraceBatches, TraceRun } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { BertConfig, type Model, Parameters } from "homodistil/model"
import { adamW, OptimizerService } from "homodistil/optimizer"
import { RemainingRatio } from "homodistil/pruning"
import { Seed } from "homodistil/spec"

// Records traces and has PyTorch repeat them: `npm run parity`, or `npm run parity -- quick` for the small ones alone.
// PYTHON names the Python; --threads N those of the native runtime (2 unless given).

interface Case {
  readonly name: string
  readonly small?: boolean
  readonly scorer?: Scorer.ImportanceScorer
  readonly loss?: Loss.HomoDistilOptions
  readonly learningRate?: number
  readonly text?: TraceBatches.Kind
  readonly mode?: PruningMode.PruningMode
  readonly pruneEvery?: number
  readonly weightDecay?: number
}

const masked = PruningMode.masked()
const sensitivity = Scorer.sensitivity()

/** The scorers with the committed teacher, the paper's loss and learning rate, the other texts, masked pruning. */
const micro: ReadonlyArray<Case> = [
  { name: "platon" },
  { name: "sensitivity", scorer: sensitivity },
  { name: "magnitude", scorer: Scorer.magnitude() },
  { name: "paper-loss", loss: { scale: "raw", reduce: "sum" }, learningRate: 6e-4 },
  { name: "padded", text: "padded", scorer: sensitivity },
  { name: "repeated", text: "repeated" },
  { name: "masked", mode: masked }
]

/** The same in seconds, with a random teacher of two layers. */
const small: ReadonlyArray<Case> = [
  { name: "small", small: true, pruneEvery: 10 },
  { name: "small-masked", small: true, pruneEvery: 10, mode: masked },
  { name: "small-padded", small: true, text: "padded", scorer: sensitivity, weightDecay: 0.5 },
  { name: "small-raw", small: true, text: "padded", loss: { scale: "raw" } },
  { name: "small-repeated", small: true, text: "repeated", scorer: Scorer.magnitude() }
]

/** Random weights, four times as large as BERT's so that attention has something to say. */
const randomTeacher = (vocabSize: number): Model.Model => {
  const config = BertConfig.uniform({ vocabSize, positions: 64, layers: 2, heads: 4, hidden: 64, ffn: 256 })
  const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("parity"))
  const louder = Object.entries(parameters).map(
    ([name, value]) =>
      [name, value.shape.length > 1 ? { ...value, data: value.data.map((x) => 4 * x) } : value] as const
  )
  return { config, parameters: Object.fromEntries(louder) }
}

const methodOf = (one: Case): Method.Method => {
  const size = one.small === true ? { rows: 4, length: 32 } : {}
  const peak = one.learningRate ?? 3e-3
  return Layer.mergeAll(
    Method.homoDistil({ training: { steps: 50, pruneEvery: one.pruneEvery ?? 20, ...size } }),
    RemainingRatio.layer(RemainingRatio.cubic({ final: 0.25, end: 0.7 })),
    Loss.layer(Loss.homoDistil(one.loss)),
    LearningRate.layer(LearningRate.linearDecay({ peak, warmup: 0.05 })),
    Layer.succeed(OptimizerService, OptimizerService.of(adamW({ weightDecay: one.weightDecay ?? 0.01 }))),
    Scorer.layer(one.scorer ?? Scorer.platon()),
    PruningMode.layer(one.mode ?? PruningMode.hard)
  )
}

const record = (cases: ReadonlyArray<Case>, folder: string, threads: number) =>
  Effect.gen(function* () {
    const dataset = yield* loadDataset({ tokenizer: yield* loadTokenizer("assets/tokenizer") })
    const vocabulary = dataset.vocabulary.length
    for (const one of cases) {
      const plan = yield* DistillPlan.resolve.pipe(Effect.provide(methodOf(one)))
      const { rows, length, maskRate } = plan.training
      const teacher = one.small === true ? randomTeacher(vocabulary) : yield* HuggingFace.read("assets/teacher")
      const { clean } = trainingBatches(dataset, { rows, length, maskRate })
      const batch = TraceBatches.of(one.text ?? "corpus", { clean, pieces: dataset, maskRate })
      const files = yield* TraceRun.record({ plan, teacher, seed: Seed.make(0), batch })
      yield* TraceRun.write(join(folder, one.name), files)
      console.log(`recorded ${one.name}`)
    }
  }).pipe(Effect.provide(Layer.merge(OnnxBackend.layer({ threads }), NodeServices.layer)))

const check = (...args: ReadonlyArray<string>): number => {
  const python = process.env["PYTHON"] ?? "python3"
  const checker = fileURLToPath(new URL("check.py", import.meta.url))
  const { error, status } = spawnSync(python, [checker, ...args], { stdio: "inherit" })
  if (error !== undefined) console.error(`parity: PYTHON = ${python}: ${error.message}; name a Python that runs`)
  return status ?? 2
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  process.chdir(fileURLToPath(new URL("../..", import.meta.url)))
  // a missing PyTorch is said at once, not after the traces
  const ready = check("--ready")
  if (ready !== 0) return ready
  const quick = args.includes("quick")
  const cases = quick ? small : [...micro, ...small]
  const folder = mkdtempSync(join(tmpdir(), "homodistil-parity-"))
  const at = (name: string): string => join(folder, name)
  try {
    await Effect.runPromise(record(cases, folder, Number(args[args.indexOf("--threads") + 1]) || 2))
    const pairs = [...(quick ? [] : ["--same", at("platon"), at("masked")]), "--same", at("small"), at("small-masked")]
    return check(...cases.map(({ name }) => at(name)), ...pairs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main(process.argv.slice(2))
