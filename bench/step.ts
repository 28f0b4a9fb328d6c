// Milliseconds of one distillation step at the micro setting, by width of the student: npm run bench [-- THREADS]
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { OnnxBackend } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { loadDataset, loadTokenizer, tokenizerDirectory, trainingBatches } from "homodistil/data"
import { Distiller, DistillPlan, Method, StudentInit } from "homodistil/distill"
import { RemainingRatio } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { cpus } from "node:os"
import process from "node:process"

const threads = Number(process.argv[2] ?? 2)
const warm = 5
const timed = 30

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** A student that starts at the final width, so that no pruning event falls into what is timed. */
const measure = (ratio: number) =>
  Effect.gen(function* () {
    const tokenizer = yield* loadTokenizer(yield* tokenizerDirectory)
    const teacher = yield* HuggingFace.read("assets/teacher")
    const batches = trainingBatches(yield* loadDataset({ tokenizer }))
    const plan = yield* DistillPlan.resolve.pipe(
      Effect.provide(
        Layer.mergeAll(
          Method.homoDistil({ training: { steps: warm + timed } }),
          RemainingRatio.layer(ratio === 1 ? RemainingRatio.constant() : RemainingRatio.cubic({ final: ratio })),
          StudentInit.layer(StudentInit.random)
        )
      )
    )
    const times: Array<number> = []
    let nodes = 0
    let last = performance.now()
    yield* Distiller.run({ plan, teacher, seed: Seed.make(0), batch: batches.masked, snapshotAt: () => false }).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Started") ({ nodes } = event)
          if (event._tag === "Stepped") times.push(performance.now() - last)
          last = performance.now()
        })
      )
    )
    const steady = times.slice(warm)
    const spread = `${Math.min(...steady).toFixed(1)} to ${Math.max(...steady).toFixed(1)}`
    console.log(
      `${`${100 * ratio} %`.padStart(6)} width: ${median(steady).toFixed(1)} ms a step (${spread}), ${nodes} nodes`
    )
  })

console.log(
  `${cpus()[0]?.model ?? "unknown CPU"}, ${threads} threads; teacher forward, student step and PLATON, batch 16 × 64`
)
await Effect.runPromise(
  Effect.forEach([1, 0.5, 0.25], measure, { discard: true }).pipe(
    Effect.provide(Layer.merge(OnnxBackend.layer({ threads }), NodeServices.layer))
  )
)
