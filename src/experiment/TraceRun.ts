import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { type Backend, type HostTensor, Tensor } from "../backend/index.ts"
import { HuggingFaceConfig, Safetensors, WholeFolder } from "../checkpoint/index.ts"
import type { MaskedBatch } from "../data/index.ts"
import { type DistillEvent, Distiller, DistillPlan, type StepState } from "../distill/index.ts"
import type { ParameterValues } from "../model/index.ts"
import { PrunePlan } from "../pruning/index.ts"
import { canonical, type Json, type JsonObject, type OutputError, Spec } from "../spec/index.ts"
import * as StateTensors from "./StateTensors.ts"

/** What a trace is recorded of: a run as any other; no snapshots are asked for, since the trace takes its own. */
export type TraceInput = Omit<Distiller.DistillInput, "snapshotAt" | "from">

/** The files of a trace by name: where the run starts, what it reads, and what it did. */
export type TraceFiles = { readonly [name: string]: Uint8Array }

/** The names a trace's folder may hold. */
export const fileNames = [
  "teacher.safetensors",
  "weights.safetensors",
  "batches.safetensors",
  "state.first.safetensors",
  "state.last.safetensors",
  "trace.json"
] as const

/** Raised when the files change so that an older checker could misread them. */
const format = 1

/** The name of a tensor in a trace: `param.<name>`, `moment.<slot>.<name>`, `slot.<slot>.<name>`. */
const nameOf = (kind: StateTensors.Kind, ...path: ReadonlyArray<string>): string =>
  [kind.replace(/s$/, ""), ...path].join(".")

/** Batches as one tensor a field, the first dimension being the step. */
const stacked = (batches: ReadonlyArray<MaskedBatch>): ParameterValues => {
  const integers = (name: string, of: (batch: MaskedBatch) => Int32Array): readonly [string, HostTensor] => {
    const rows = batches.map(of)
    const width = rows[0]?.length ?? 0
    return [
      name,
      Tensor.host(
        rows.flatMap((row) => [...row]),
        [rows.length, width],
        "int32"
      )
    ]
  }
  const attention = batches.flatMap((batch) => (batch.attention === undefined ? [] : [batch.attention]))
  return Object.fromEntries([
    integers("ids", (batch) => batch.ids),
    integers("positions", (batch) => batch.positions),
    integers("labels", (batch) => batch.labels),
    ...(attention.length === 0
      ? []
      : [
          [
            "attention",
            Tensor.host(
              attention.flatMap((row) => [...row]),
              [attention.length, attention[0]?.length ?? 0]
            )
          ] as const
        ])
  ])
}

/** An event as the trace tells it; snapshots are files of their own. */
const told = (event: DistillEvent): JsonObject | undefined => {
  switch (event._tag) {
    case "Stepped": {
      const { step, learningRate, total, terms } = event
      return { event: "step", step, learningRate, total, terms }
    }
    case "Pruned": {
      const { step, ratio, plan, widths, parameters } = event
      const scores = Object.fromEntries([...event.scores].map(([axis, values]) => [axis, [...values]]))
      return { event: "pruning", step, ratio, kept: PrunePlan.toJson(plan), widths, parameters, scores }
    }
    case "Started":
    case "Snapshot":
      return undefined
  }
}

/** One list entry a line, so that two traces can be compared by eye. */
const lines = (trace: { readonly [key: string]: Json }, events: ReadonlyArray<JsonObject>): string => {
  const head = Object.entries(trace).map(([key, value]) => `${JSON.stringify(key)}:${canonical(value)},\n`)
  return `{${head.join("")}"events":[\n${events.map(canonical).join(",\n")}\n]}\n`
}

/**
 * Records a distillation so that another implementation can repeat it and compare: teacher and starting weights, the batches, every
 * loss term, the units kept and their scores at each pruning event, and the whole state after the first and the last step.
 *
 * The run is the ordinary one. Equal inputs give equal bytes. The format is described in `test/parity/README.md`.
 */
export const record = (input: TraceInput): Effect.Effect<TraceFiles, Distiller.DistillFailure, Backend> =>
  Effect.gen(function* () {
    const { plan, teacher, seed } = input
    const { steps } = plan.training
    const start = Distiller.start(input)
    const events: Array<JsonObject> = []
    const states = new Map<number, StepState.StepState>()
    yield* Distiller.run({ ...input, snapshotAt: (done) => done === 1 }).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          if (event._tag === "Snapshot") states.set(event.state.step, event.state)
          const entry = told(event)
          if (entry !== undefined) events.push(entry)
        })
      )
    )
    const state = (step: number): Uint8Array =>
      Safetensors.encode(StateTensors.flat((states.get(step) ?? start).train, nameOf))
    const batches = Array.from({ length: steps }, (_, step) => input.batch(seed, step))
    const { rows, length } = plan.training
    const text = lines(
      {
        format,
        seed: seed.path,
        teacher: HuggingFaceConfig.toJson(teacher.config),
        student: HuggingFaceConfig.toJson(start.config),
        plan: Spec.toJson(DistillPlan.spec(plan)),
        batch: { rows, length }
      },
      events
    )
    return {
      "teacher.safetensors": Safetensors.encode(teacher.parameters),
      "weights.safetensors": Safetensors.encode(start.train.params),
      "batches.safetensors": Safetensors.encode(stacked(batches)),
      "state.first.safetensors": state(1),
      "state.last.safetensors": state(steps),
      "trace.json": new TextEncoder().encode(text)
    }
  })

/** Writes a trace as a folder that is whole or not there; an older trace is replaced. Fails with `OutputError`. */
export const write = (
  folder: string,
  files: TraceFiles
): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> => WholeFolder.write(folder, files, fileNames)

/** Finds out whether a trace could be written there, before it is recorded. Fails with `OutputError` if not. */
export const writable = (folder: string): Effect.Effect<void, OutputError, FileSystem.FileSystem | Path.Path> =>
  WholeFolder.writable(folder, fileNames)
