import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as ort from "onnxruntime-node"
import { evaluateAll, type HostTensor, Tensor } from "homodistil/backend"
import { type HuggingFaceWeights, Onnx } from "homodistil/checkpoint"
import { Activation, Bert, BertConfig, Parameters, Tokens } from "homodistil/model"
import { Digest, Seed } from "homodistil/spec"

/** Sequences with everything a graph takes. */
export interface Batch {
  readonly rows: number
  readonly length: number
  readonly ids: Int32Array
  readonly attention: Float32Array
  readonly types: Int32Array
}

/** Configurations of every kind: widths of each layer, factors, activations, decoders, heads, more types than two. */
export const configs: fc.Arbitrary<BertConfig.BertConfig> = fc
  .record({ layers: fc.integer({ min: 1, max: 3 }), heads: fc.integer({ min: 1, max: 3 }) })
  .chain(({ layers, heads }) => {
    const widths = (unit: number) =>
      fc.array(
        fc.integer({ min: 1, max: 5 }).map((n) => n * unit),
        { minLength: layers, maxLength: layers }
      )
    return fc.record(
      {
        vocabSize: fc.integer({ min: 2, max: 40 }),
        positions: fc.integer({ min: 2, max: 9 }),
        types: fc.integer({ min: 1, max: 3 }),
        layers: fc.constant(layers),
        heads: fc.constant(heads),
        hidden: fc.integer({ min: 3, max: 12 }),
        ffn: widths(3),
        qk: widths(heads),
        vo: widths(heads),
        scale: fc.double({ min: 0.1, max: 1, noNaN: true }),
        epsilon: fc.constantFrom(1e-12, 1e-5),
        activation: fc.constantFrom(...Activation.activations),
        decoder: fc.constant("untied" as const),
        head: fc.constant("none" as const)
      },
      {
        requiredKeys: [
          "vocabSize",
          "positions",
          "types",
          "layers",
          "heads",
          "hidden",
          "ffn",
          "qk",
          "vo",
          "scale",
          "epsilon"
        ]
      }
    )
  })
  // a model without a head has no decoder
  .map(({ decoder, ...config }) =>
    decoder === undefined || config.head !== undefined ? config : { ...config, decoder }
  )

/** Sequences of a model with padding at the end of rows, each row keeping its first token at least. */
export const batches = (config: BertConfig.BertConfig): fc.Arbitrary<Batch> =>
  fc
    .record({ rows: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 1, max: config.positions }) })
    .chain(({ rows, length }) => {
      const list = (below: number) =>
        fc.array(fc.nat(below - 1), { minLength: rows * length, maxLength: rows * length })
      const kept = fc.array(fc.integer({ min: 1, max: length }), { minLength: rows, maxLength: rows })
      return fc.record({
        rows: fc.constant(rows),
        length: fc.constant(length),
        ids: list(config.vocabSize).map((ids) => Int32Array.from(ids)),
        types: list(config.types).map((ids) => Int32Array.from(ids)),
        attention: kept.map((tokens) =>
          Float32Array.from({ length: rows * length }, (_, i) =>
            i % length < (tokens[Math.floor(i / length)] ?? 0) ? 1 : 0
          )
        )
      })
    })

/** Random weights, loud enough that every part of the model shows in what it gives; biases and gains are random, too. */
export const loud = (config: BertConfig.BertConfig, seed: number): HuggingFaceWeights.Weights => {
  const specs = Parameters.bert(config)
  const axes = BertConfig.axes(config)
  const parameters = specs.map((spec): readonly [string, HostTensor] => {
    const shape = Parameters.shape(spec, axes)
    const normals = Seed.normals(Seed.child(Seed.make(seed), spec.name), Tensor.elements(shape))
    const around = spec.name.endsWith("LayerNorm.weight") ? 1 : 0
    return [
      spec.name,
      Tensor.host(
        normals.map((z) => around + 0.3 * z),
        shape
      )
    ]
  })
  return { config, parameters: Object.fromEntries(parameters) }
}

/** What this project's own forward pass gives for sequences, evaluated step by step without any graph. */
export const eager = async (
  { config, parameters }: HuggingFaceWeights.Weights,
  task: Onnx.Task,
  batch: Batch
): Promise<ReadonlyArray<number>> => {
  const { y } = await Effect.runPromise(
    evaluateAll({ parameters, tokens: Tokens.inputs(batch) }, ({ parameters: p, tokens }, tensorOf) => {
      const states = Bert.last(Bert.encode(p, config, Tokens.tensors(batch, tokens)))
      if (task === "features") return { y: states }
      const positions = tensorOf(Tensor.of(Int32Array.from({ length: batch.rows * batch.length }, (_, i) => i)))
      return { y: Bert.maskedLmLogits(p, config, states, positions) }
    })
  )
  return Array.from(y.data)
}

/** The bytes of an exported graph. */
export const bytesOf = (
  weights: HuggingFaceWeights.Weights,
  task: Onnx.Task,
  precision: Onnx.Precision = "float32"
): Uint8Array => Buffer.concat(Onnx.graphOf({ ...weights, task, version: "0.0.0", digest: Digest.of({}) }, precision))

/** What ONNX Runtime gives for sequences, and the shape of it. */
export const run = async (bytes: Uint8Array, batch: Batch) => {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 })
  const port = (numbers: Iterable<number>) =>
    new ort.Tensor("int64", BigInt64Array.from(Array.from(numbers, BigInt)), [batch.rows, batch.length])
  const feeds = {
    input_ids: port(batch.ids),
    attention_mask: port(batch.attention),
    token_type_ids: port(batch.types)
  }
  // a failure is told by its error, not by the runtime on the terminal
  const made = await session.run(feeds, { logSeverityLevel: 4 })
  const [name = ""] = session.outputNames
  const tensor = made[name]
  await session.release()
  return { names: session.outputNames, dims: tensor?.dims ?? [], data: Array.from(tensor?.data ?? [], Number) }
}

/** The largest difference between two lists of numbers; infinite where one is longer or holds no number. */
export const distance = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.length === b.length
    ? a.reduce((worst, x, i) => {
        const apart = Math.abs(x - (b[i] ?? Number.NaN))
        return Number.isNaN(apart) ? Infinity : Math.max(worst, apart)
      }, 0)
    : Infinity
