import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { OnnxBackend } from "homodistil/backend"
import { Safetensors } from "homodistil/checkpoint"
import { trainingBatches } from "homodistil/data"
import { Distiller, DistillPlan, Method } from "homodistil/distill"
import { TraceBatches, TraceRun } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { RemainingRatio } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { materials } from "./toy.ts"

const training = { steps: 6, rows: 2, length: 16, pruneEvery: 2 }

const input = Effect.gen(function* () {
  const scorer = Scorer.layer(Scorer.platon({ window: 2 }))
  const ratio = RemainingRatio.layer(RemainingRatio.cubic({ final: 0.5, end: 0.7 }))
  const plan = yield* DistillPlan.resolve.pipe(Effect.provide([Method.homoDistil({ training }), ratio, scorer]))
  const { clean } = trainingBatches(materials.dataset, plan.training)
  const batch = TraceBatches.of("padded", { clean, pieces: materials.dataset, maskRate: 0.3 })
  return { plan, teacher: materials.teacher, seed: Seed.make(0), batch }
})

const recorded = Effect.flatMap(input, TraceRun.record).pipe(Effect.provide(OnnxBackend.layer({ threads: 2 })))

const tensors = (files: TraceRun.TraceFiles, name: string) =>
  Result.getOrThrow(Safetensors.decode(files[name] ?? new Uint8Array())).values

const Trace = Schema.fromJsonString(
  Schema.Struct({
    events: Schema.Array(
      Schema.Struct({
        event: Schema.String,
        kept: Schema.optionalKey(Schema.Record(Schema.String, Schema.Array(Schema.Int))),
        scores: Schema.optionalKey(Schema.Record(Schema.String, Schema.Array(Schema.Finite)))
      })
    )
  })
)
const traceOf = (files: TraceRun.TraceFiles) =>
  Schema.decodeUnknownSync(Trace)(new TextDecoder().decode(files["trace.json"]))

describe("TraceRun", () => {
  it.effect("gives equal bytes for equal runs", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* recorded, yield* recorded)
    })
  )

  it.effect("holds the start, every batch and step, and the prunings with the scores behind them", () =>
    Effect.gen(function* () {
      const [files, run] = [yield* recorded, yield* input]
      assert.deepStrictEqual(Object.keys(files).sort(), [...TraceRun.fileNames].sort())
      assert.deepStrictEqual(tensors(files, "teacher.safetensors"), run.teacher.parameters)
      assert.deepStrictEqual(tensors(files, "weights.safetensors"), { ...Distiller.start(run).train.params })
      const { ids, labels, attention } = tensors(files, "batches.safetensors")
      assert.deepStrictEqual([...(ids?.data.slice(3 * 32, 4 * 32) ?? [])], [...run.batch(run.seed, 3).ids])
      assert.deepStrictEqual(
        [...(attention?.data.slice(3 * 32, 4 * 32) ?? [])],
        [...(run.batch(run.seed, 3).attention ?? [])]
      )
      assert.deepStrictEqual(labels?.shape, [6, run.batch(run.seed, 3).labels.length])
      const { events } = traceOf(files)
      assert.lengthOf(
        events.filter(({ event }) => event === "step"),
        6
      )
      const prunings = events.filter(({ event }) => event === "pruning")
      assert.isAtLeast(prunings.length, 2)
      // the best of the scores stay
      for (const { kept, scores } of prunings) {
        const [units = [], values = []] = [kept?.["hidden"], scores?.["hidden"]]
        const [inside, outside] = [true, false].map((side) => values.filter((_, i) => units.includes(i) === side))
        if (units.length > 0) assert.isAtLeast(Math.min(...(inside ?? [])), Math.max(...(outside ?? [])))
      }
    })
  )

  it.effect("records the ordinary run: its last state is the distiller's own", () =>
    Effect.gen(function* () {
      const [files, run] = [yield* recorded, yield* input]
      const states = yield* Distiller.run({ ...run, snapshotAt: () => false }).pipe(
        Stream.runCollect,
        Effect.map((events) => [...events].flatMap((event) => (event._tag === "Snapshot" ? [event.state] : []))),
        Effect.provide(OnnxBackend.layer({ threads: 2 }))
      )
      const last = tensors(files, "state.last.safetensors")
      const { params = {}, moments = {}, slots = {} } = states[0]?.train ?? {}
      const name = "bert.encoder.layer.0.intermediate.dense.weight"
      assert.deepStrictEqual(params[name]?.shape, [6, 4])
      assert.deepStrictEqual(last[`param.${name}`], params[name])
      assert.deepStrictEqual(last[`moment.square.${name}`], moments["square"]?.[name])
      assert.deepStrictEqual(last[`slot.uncertainty.${name}`], slots["uncertainty"]?.[name])
      assert.deepStrictEqual(tensors(files, "state.first.safetensors")[`param.${name}`]?.shape, [12, 8])
    })
  )

  it.effect("writes a folder that is whole, over an older trace but not over other files", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = `${yield* fs.makeTempDirectoryScoped()}/trace`
      yield* TraceRun.write(folder, { "trace.json": Uint8Array.of(1) })
      yield* TraceRun.write(folder, { "trace.json": Uint8Array.of(2) })
      assert.deepStrictEqual([...(yield* fs.readFile(`${folder}/trace.json`))], [2])
      yield* fs.writeFileString(`${folder}/notes.txt`, "mine")
      const error = yield* Effect.flip(TraceRun.writable(folder))
      assert.match(error.message, /holds other files \(notes\.txt\)/)
    }).pipe(Effect.scoped, Effect.provide(Layer.fresh(NodeServices.layer)))
  )
})
