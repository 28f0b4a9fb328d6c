import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { type Backend, OnnxBackend } from "homodistil/backend"
import { HuggingFace } from "homodistil/checkpoint"
import { Method } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import {
  type CellResult,
  type Claim,
  Experiment,
  layerMemory,
  Runner,
  type RunStore,
  Scale
} from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { BertConfig, Parameters } from "homodistil/model"
import { type JsonObject, Seed, Spec } from "homodistil/spec"
import { toyDataset } from "../data/brown.ts"

const config = BertConfig.uniform({ vocabSize: 100, positions: 64, layers: 1, heads: 2, hidden: 8, ffn: 12 })
const teacher = {
  config,
  parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make("teacher"))
}

/** A random teacher and random text: everything an experiment needs, at a size that runs in a moment. */
export const materials = {
  teacher,
  teacherDigest: HuggingFace.digest(teacher),
  dataset: toyDataset(Array.from({ length: 40 }, () => 200)),
  backend: Spec.make("onnx", { options: { threads: 1 } })
}

const short = { steps: 6, rows: 2, length: 16, pruneEvery: 2 }

/** A scale of six steps. */
export const scale = Scale.make({
  name: "toy",
  training: short,
  seeds: 2,
  points: 2,
  curveRows: 4,
  testRows: 8,
  testBatch: 4,
  small: true
})

/** The same with so many steps that the window of every scorer ends. */
export const longScale = Scale.make({ ...scale, training: { ...short, steps: 12 } })

/** Two scorers, measured on held-out text and by the curve. */
export const experiment = Experiment.make({
  name: "toy",
  title: "Two scorers",
  method: Method.homoDistil(),
  vary: { scorer: [Scorer.magnitude(), Scorer.platon({ window: 2 })].map(Scorer.layer) },
  measure: [Measure.heldOut(), Measure.curve()],
  seeds: 2,
  baseline: "magnitude",
  labels: { platon: "PLATON" }
})

/** A claim that remembers what is kept, as a store does: what comes after a checkpoint is lost with it. */
export const remembering = () => {
  let lines: ReadonlyArray<JsonObject> = []
  let kept: { readonly state: Uint8Array; readonly lines: ReadonlyArray<JsonObject> } | undefined
  const claim = (): Claim => {
    lines = kept?.lines ?? []
    return {
      checkpoint: kept?.state,
      restart: () =>
        Effect.sync(() => {
          kept = undefined
          lines = []
        }),
      save: (_, state) => Effect.sync(() => void (kept = { state, lines })),
      record: (entry) => Effect.sync(() => void (lines = [...lines, entry])),
      log: () => Effect.void,
      finish: () => Effect.void
    }
  }
  return { claim, lines: () => lines }
}

/** The machine of tests. */
export const machine = {
  node: "v0",
  platform: "test",
  cpu: "none",
  cores: 1,
  version: "0",
  packages: {},
  git: null
}

/** What the runner is asked for, with its events in a list. */
export const runner = ({
  experiment: asked = experiment,
  seeds = [0, 1],
  ...o
}: Partial<Runner.RunnerOptions & Runner.SeededExperiment> = {}) => {
  const events: Array<Runner.RunnerEvent> = []
  const options = {
    experiment: asked,
    seeds,
    experiments: [{ experiment: asked, seeds }],
    scale,
    jobs: 2,
    materials,
    machine,
    emit: (event: Runner.RunnerEvent) => Effect.sync(() => void events.push(event)),
    ...o
  }
  return { events, options }
}

/** Runs one experiment. */
export const runOne = (options: Runner.RunnerOptions) =>
  Effect.flatMap(Runner.run(options), ([finished]) => Effect.fromNullishOr(finished).pipe(Effect.orDie))

/** Runs an effect that needs a backend and a store; a new store in memory unless given. */
export const run = <A, E>(
  effect: Effect.Effect<A, E, Backend | RunStore>,
  store: Layer.Layer<RunStore> = layerMemory
): Promise<A> => Effect.runPromise(effect.pipe(Effect.provide([OnnxBackend.layer(), store])))

/** The bytes of a result that are the same for the same cell: all but the times. */
export const numbers = ({ provenance: _, ...rest }: CellResult): string => JSON.stringify(rest)
