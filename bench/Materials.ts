import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { OnnxBackend, Tensor } from "homodistil/backend"
import { HuggingFace, Safetensors } from "homodistil/checkpoint"
import {
  loadDataset,
  loadTokenizer,
  mask,
  type MaskedBatch,
  tokenizerDirectory,
  trainingBatches
} from "homodistil/data"
import { Pretraining } from "homodistil/distill"
import { BertConfig, type Model, Parameters } from "homodistil/model"
import { adamW } from "homodistil/optimizer"
import { Schedule } from "homodistil/schedule"
import { Seed } from "homodistil/spec"

/** Where what takes long to make is kept between two calls, below the current folder. */
export const cache = join(".cache", "bench")

/**
 * Random weights of a standard deviation, for what is only timed. They are larger than BERT's .02 so that attention has something to
 * say, and uniform, since a hundred million of them are wanted.
 */
export const randomModel = (config: BertConfig.BertConfig, seed: Seed.Seed, deviation = 0.08): Model.Model => {
  const axes = BertConfig.axes(config)
  const parameters = Parameters.bert(config).map((spec) => {
    const shape = Parameters.shape(spec, axes)
    const size = Tensor.elements(shape)
    const data =
      shape.length === 1
        ? new Float32Array(size).fill(spec.name.endsWith("LayerNorm.weight") ? 1 : 0)
        : Float32Array.from(
            Seed.uniforms(Seed.child(seed, spec.name), size),
            (u) => deviation * Math.sqrt(12) * (u - 0.5)
          )
    return [spec.name, { shape, dtype: "float32", data }] as const
  })
  return { config, parameters: Object.fromEntries(parameters) }
}

/** Batches of random pieces, masked as always: what a piece means makes no difference to the time. */
export const randomBatches = (
  { rows, length, vocabulary }: { readonly rows: number; readonly length: number; readonly vocabulary: number },
  count: number
): ReadonlyArray<MaskedBatch> => {
  const ordinary = Int32Array.from({ length: vocabulary - 5 }, (_, n) => 5 + n)
  const pieces = { special: { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 }, ordinary }
  return Array.from({ length: count }, (_, n) => {
    const seed = Seed.child(Seed.make("benchmark"), "batch", n)
    const drawn = Seed.integers(seed, rows * length, vocabulary - 5)
    // [CLS] at the start of each row and [SEP] at its end
    const ids = Int32Array.from({ length: rows * length }, (_, i) =>
      i % length === 0 ? 2 : i % length === length - 1 ? 3 : 5 + (drawn[i] ?? 0)
    )
    return mask({ rows, length, ids }, { rate: 0.15, pieces, seed: Seed.child(seed, "mask") })
  })
}

const dataset = Effect.gen(function* () {
  return yield* loadDataset({ tokenizer: yield* loadTokenizer(yield* tokenizerDirectory) })
})

/** The batches of a micro run, from the corpus. */
export const corpusBatches = (steps: number): Promise<ReadonlyArray<MaskedBatch>> =>
  Effect.runPromise(
    Effect.map(dataset, (data) => {
      const { masked } = trainingBatches(data)
      return Array.from({ length: steps }, (_, step) => masked(Seed.make(0), step))
    }).pipe(Effect.provide(NodeServices.layer))
  )

/** Steps of the short pre-training of a teacher that is not committed. */
export const pretrainingSteps = 300

const pretrained = (hidden: number, threads: number): Promise<Model.Model> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const data = yield* dataset
      const model = yield* Pretraining.pretrain({
        config: BertConfig.uniform({
          vocabSize: data.vocabulary.length,
          positions: 64,
          layers: 4,
          heads: 4,
          hidden,
          ffn: 4 * hidden
        }),
        steps: pretrainingSteps,
        causalShare: 0.4,
        dropout: { hidden: 0, attention: 0 },
        optimizer: adamW({ beta2: 0.999 }),
        learningRate: Schedule.linearDecayToFloor({ peak: 1e-3, steps: pretrainingSteps }),
        positions: "sinusoidal",
        seed: Seed.make(0),
        batches: trainingBatches(data, { maskRate: 0.25 }),
        every: pretrainingSteps
      }).pipe(
        Stream.runFold(
          (): Model.Model | undefined => undefined,
          (model, event) => (event._tag === "Snapshot" ? event.model : model)
        )
      )
      return model ?? (yield* Effect.die("the pre-training gave no model"))
    }).pipe(Effect.provide(Layer.merge(OnnxBackend.layer({ threads }), NodeServices.layer)))
  )

/** The teacher of a whole run, and what it is: the committed one at width 128, one of a short pre-training at others. */
export const teacher = async (
  hidden: number,
  threads: number
): Promise<{ readonly model: Model.Model; readonly origin: string }> => {
  if (hidden === 128) {
    const model = await Effect.runPromise(HuggingFace.read("assets/teacher").pipe(Effect.provide(NodeServices.layer)))
    return { model, origin: "the committed teacher" }
  }
  const origin = `a teacher of ${pretrainingSteps} steps of pre-training`
  const file = join(cache, `teacher-${hidden}-${pretrainingSteps}.safetensors`)
  if (existsSync(file)) {
    const { values } = Result.getOrThrow(Safetensors.decode(readFileSync(file), { file }))
    const positions = values["bert.embeddings.position_embeddings.weight"]?.shape[0] ?? 0
    const vocabSize = values["bert.embeddings.word_embeddings.weight"]?.shape[0] ?? 0
    const config = BertConfig.uniform({ vocabSize, positions, layers: 4, heads: 4, hidden, ffn: 4 * hidden })
    return { model: { config, parameters: values }, origin }
  }
  const model = await pretrained(hidden, threads)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Safetensors.encode(model.parameters))
  return { model, origin }
}
