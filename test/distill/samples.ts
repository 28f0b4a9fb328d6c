import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Backend } from "homodistil/backend"
import { OnnxBackend } from "homodistil/backend"
import type { MaskedBatch } from "homodistil/data"
import {
  type DistillEvent,
  Distiller,
  DistillPlan,
  type DistillServices,
  Method,
  type StepState
} from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { BertConfig, type Model, Parameters } from "homodistil/model"
import { RemainingRatio } from "homodistil/pruning"
import { Seed } from "homodistil/spec"

/** A teacher of two layers whose weights are large enough for its predictions to differ from token to token. */
export const config = BertConfig.uniform({ vocabSize: 40, positions: 10, layers: 2, heads: 2, hidden: 16, ffn: 24 })

const louder = (values: Float32Array | Int32Array, matrix: boolean) =>
  Float32Array.from(values, (x) => (matrix ? 8 * x : x))

export const teacher: Model.Model = {
  config,
  parameters: Object.fromEntries(
    Object.entries(Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("teacher"))).map(
      ([name, t]) => [name, { ...t, data: louder(t.data, t.shape.length > 1) }]
    )
  )
}

/** A batch of four rows whose tokens repeat heavily: the gradient of the embedding then adds many rows into few. */
export const batch = (seed: Seed.Seed, step: number): MaskedBatch => ({
  rows: 4,
  length: 10,
  ids: Seed.integers(Seed.child(seed, "ids", step), 40, 5),
  attention: undefined,
  positions: Int32Array.from([1, 5, 14, 20, 30, 37]),
  labels: Seed.integers(Seed.child(seed, "labels", step), 6, 40)
})

export const training = { steps: 12, rows: 4, length: 10, pruneEvery: 3 }

/** HomoDistil over twelve steps, pruned in nine of them, with services replaced. */
export const plan = (...replaced: ReadonlyArray<Layer.Layer<never>>): DistillPlan.DistillPlan => {
  const method = replaced.reduce<Layer.Layer<DistillServices>>(
    (left, right) => Layer.merge(left, right),
    Layer.mergeAll(
      Method.homoDistil({ training }),
      Scorer.layer(Scorer.platon({ window: 3 })),
      RemainingRatio.layer(RemainingRatio.cubic({ final: 0.25, end: 0.7 }))
    )
  )
  return Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))
}

/** All events of a run. */
export const events = (
  input: Partial<Distiller.DistillInput> & Pick<Distiller.DistillInput, "plan">
): Effect.Effect<ReadonlyArray<DistillEvent>, Distiller.DistillFailure, Backend> =>
  Stream.runCollect(Distiller.run({ teacher, seed: Seed.make(0), batch, snapshotAt: () => false, ...input }))

/** Runs an effect on a fresh native backend of two threads. */
export const native = <A, E>(effect: Effect.Effect<A, E, Backend>): Promise<A> =>
  Effect.runPromise(effect.pipe(Effect.provide(OnnxBackend.layer({ threads: 2 }))))

/** The state a run ended in. */
export const finalState = (all: ReadonlyArray<DistillEvent>): StepState.StepState => {
  const last = all.at(-1)
  if (last?._tag !== "Snapshot" || !last.last) throw new Error("the run gave no final snapshot")
  return last.state
}

/** The totals of a run's steps. */
export const totals = (all: ReadonlyArray<DistillEvent>): ReadonlyArray<number> =>
  all.flatMap((event) => (event._tag === "Stepped" ? [event.total] : []))
