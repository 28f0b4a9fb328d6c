import * as Schema from "effect/Schema"
import * as FileSystem from "node:fs"
import { join } from "node:path"
import type { HostTensor } from "homodistil/backend"
import type { MaskedBatch } from "homodistil/data"
import { BertConfig, type Model, Parameters, type ParameterSpec, type ParameterValues } from "homodistil/model"

// What both sides of a comparison are given: a folder with job.json, one file of weights a model, and one of batches.
// Weights and batches are plain little-endian numbers end to end, so that reading them leaves no copy behind in either process.

const Axis = Schema.Struct({ id: Schema.String, size: Schema.Int, blocks: Schema.Int, prunable: Schema.Boolean })
const Widths = Schema.Array(Schema.Int)
const Weights = Schema.Struct({
  config: BertConfig.Encoded,
  /** In the order of the file `<model>.bin`, with the axis of each dimension. */
  tensors: Schema.Array(Schema.Struct({ name: Schema.String, shape: Widths, axes: Schema.Array(Schema.String) }))
})

const Kind = Schema.Literals(["product", "train", "distil", "run", "infer"])

/** What is done: matrix products, a masked-language-model step, a distillation step, whole distillations, a forward pass. */
export type Kind = typeof Kind.Type

const Job = Schema.Struct({
  kind: Kind,
  threads: Schema.Int,
  rows: Schema.Int,
  length: Schema.Int,
  /** Masked places of a batch. */
  masked: Schema.Int,
  /** Batches in the file; they are taken in turn. */
  batches: Schema.Int,
  models: Schema.Record(Schema.String, Weights),
  /** The student's axes before anything is pruned, and the teacher's width. */
  axes: Schema.Array(Axis),
  /** Steps of a whole run. */
  steps: Schema.Int,
  /** The learning rate of each step; the last one stays. */
  learningRates: Schema.Array(Schema.Finite),
  /** When a run prunes, and to which remaining ratio. */
  prunings: Schema.Array(Schema.Struct({ done: Schema.Int, ratio: Schema.Finite }))
})

/** What both sides of a comparison are told. */
export type Job = typeof Job.Type

/** A request to either side: so many steps (or runs) of a thing it knows by name. */
export interface Request {
  readonly what: string
  readonly steps: number
}

const Reply = Schema.Struct({
  /** The milliseconds of each step or run. */
  ms: Schema.Array(Schema.Finite),
  /** The loss of each step. */
  losses: Schema.Array(Schema.Finite),
  /** Means over the last steps of a run, by name. */
  finals: Schema.Record(Schema.String, Schema.Finite),
  /** Bytes: the most the process ever held, and what it holds now. */
  peak: Schema.Finite,
  resident: Schema.Finite
})

/** What either side answers. */
export type Reply = typeof Reply.Type

/** A reply from its line of JSON. */
export const readReply = Schema.decodeSync(Schema.fromJsonString(Reply))

/** A model's entry in a job. */
export const weightsOf = (
  config: BertConfig.BertConfig,
  specs: ReadonlyArray<ParameterSpec>,
  values: ParameterValues
): Job["models"][string] => ({
  config,
  tensors: specs.map(({ name, axes }) => ({ name, axes, shape: values[name]?.shape ?? [] }))
})

const bytesOf = (data: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const writeAll = (file: string, parts: Iterable<Float32Array | Int32Array>): void => {
  const handle = FileSystem.openSync(file, "w")
  for (const part of parts) FileSystem.writeSync(handle, bytesOf(part))
  FileSystem.closeSync(handle)
}

/** Writes a model's numbers into a job's folder, in the order of its entry. */
export const writeWeights = (
  folder: string,
  name: string,
  { tensors }: Job["models"][string],
  values: ParameterValues
): void =>
  writeAll(
    join(folder, `${name}.bin`),
    tensors.flatMap((tensor) => values[tensor.name]?.data ?? [])
  )

/** Writes the batches and the job itself. */
export const write = (folder: string, job: Job, batches: ReadonlyArray<MaskedBatch>): void => {
  writeAll(
    join(folder, "batches.bin"),
    batches.flatMap(({ ids, positions, labels }) => [ids, positions, labels])
  )
  FileSystem.writeFileSync(join(folder, "job.json"), JSON.stringify(job))
}

/** The job of a folder. */
export const read = (folder: string): Job =>
  Schema.decodeSync(Schema.fromJsonString(Job))(FileSystem.readFileSync(join(folder, "job.json"), "utf8"))

/** Fills an array from a file, from a byte on; the file's bytes are held nowhere else. */
const fill = <A extends Float32Array | Int32Array>(handle: number, data: A, position: number): A => {
  const bytes = bytesOf(data)
  let read = 0
  while (read < bytes.length) {
    const got = FileSystem.readSync(handle, bytes, read, Math.min(bytes.length - read, 2 ** 30), position + read)
    if (got === 0) throw new RangeError(`the file ends ${bytes.length - read} bytes too early`)
    read += got
  }
  return data
}

/** The values of a job's model by parameter; also the projections, if it has any. */
export const parameters = (folder: string, job: Job, name: string): ParameterValues => {
  const model = job.models[name]
  if (model === undefined) throw new RangeError(`the job has no model ${name}`)
  const handle = FileSystem.openSync(join(folder, `${name}.bin`), "r")
  let position = 0
  const values = model.tensors.map((tensor): readonly [string, HostTensor] => {
    const size = tensor.shape.reduce((n, each) => n * each, 1)
    const data = fill(handle, new Float32Array(size), position)
    position += data.byteLength
    return [tensor.name, { shape: tensor.shape, dtype: "float32", data }]
  })
  FileSystem.closeSync(handle)
  return Object.fromEntries(values)
}

/** A job's model without its projections. */
export const model = (folder: string, job: Job, name: string): Model.Model => {
  const config = job.models[name]?.config
  if (config === undefined) throw new RangeError(`the job has no model ${name}`)
  const own = new Set(Parameters.bert(config).map((spec) => spec.name))
  const all = Object.entries(parameters(folder, job, name))
  return { config, parameters: Object.fromEntries(all.filter(([key]) => own.has(key))) }
}

/** The batches of a job, to be taken in turn. */
export const batchesOf = (folder: string, job: Job): ((step: number) => MaskedBatch) => {
  const { rows, length, masked } = job
  const handle = FileSystem.openSync(join(folder, "batches.bin"), "r")
  let position = 0
  const next = (size: number): Int32Array => {
    const data = fill(handle, new Int32Array(size), position)
    position += data.byteLength
    return data
  }
  const all = Array.from({ length: job.batches }, (): MaskedBatch => ({
    rows,
    length,
    ids: next(rows * length),
    attention: undefined,
    positions: next(masked),
    labels: next(masked)
  }))
  FileSystem.closeSync(handle)
  return (step) => {
    const batch = all[step % all.length]
    if (batch === undefined) throw new RangeError("the job has no batches")
    return batch
  }
}
