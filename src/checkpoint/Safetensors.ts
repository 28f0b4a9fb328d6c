import * as Result from "effect/Result"
import { type HostTensor, Tensor } from "../backend/index.ts"
import type { ParameterValues } from "../model/index.ts"
import { CheckpointError, type CheckpointProblem } from "./CheckpointError.ts"
import { type Elements, fill } from "./elements.ts"
import * as SafetensorsHeader from "./SafetensorsHeader.ts"

const { lengthBytes, metadataKey } = SafetensorsHeader

type Metadata = SafetensorsHeader.Metadata

/** What a safetensors file holds. */
export interface Safetensors {
  readonly values: ParameterValues
  readonly metadata: Metadata
  /** The names of tensors that were left out on request, sorted. */
  readonly ignored: ReadonlyArray<string>
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0

/**
 * The bytes of a safetensors file: eight bytes of header length (little-endian), the header as JSON padded with spaces to a
 * multiple of eight, then the values of each tensor, little-endian, in the order of their names.
 *
 * float32 becomes F32 and int32 becomes I32. Equal values give equal bytes; bits are kept, also those of a NaN.
 *
 * @example
 * ```ts
 * import { Safetensors } from "homodistil/checkpoint"
 * import { Tensor } from "homodistil/backend"
 * import * as Result from "effect/Result"
 * const bytes = Safetensors.encode({ weight: Tensor.host([1, 2], [1, 2]) })
 * const { values } = Result.getOrThrow(Safetensors.decode(bytes))
 * assert.deepEqual([values["weight"]?.shape, values["weight"]?.data[1]], [[1, 2], 2])
 * ```
 */
export const encode = (values: ParameterValues, metadata: Metadata = {}): Uint8Array => {
  const parts = encodeParts(values, metadata)
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/**
 * The same bytes in parts, in order: the header, then a view of each tensor's own memory, so that nothing is copied.
 *
 * @example
 * ```ts
 * import { Safetensors } from "homodistil/checkpoint"
 * import { Tensor } from "homodistil/backend"
 * const [, weight] = Safetensors.encodeParts({ weight: Tensor.host([1, 2]) })
 * assert.deepEqual(weight, Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64))
 * ```
 */
export const encodeParts = (values: ParameterValues, metadata: Metadata = {}): ReadonlyArray<Uint8Array> => {
  const tensors = Object.entries(values).sort(byName)
  let at = 0
  const fields = tensors.map(([name, tensor]) => {
    checkEncodable(name, tensor)
    const offsets = [at, (at += tensor.data.byteLength)]
    const dtype = tensor.dtype === "int32" ? "I32" : "F32"
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape: tensor.shape, data_offsets: offsets })}`
  })
  const notes = Object.entries(metadata)
    .sort(byName)
    .map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`)
  const head = notes.length === 0 ? fields : [`"${metadataKey}":{${notes.join(",")}}`, ...fields]
  const json = new TextEncoder().encode(`{${head.join(",")}}`)
  const headerLength = Math.ceil(json.length / 8) * 8
  const header = new Uint8Array(lengthBytes + headerLength)
  new DataView(header.buffer).setBigUint64(0, BigInt(headerLength), true)
  header.fill(0x20, lengthBytes).set(json, lengthBytes)
  return [header, ...tensors.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))]
}

const checkEncodable = (name: string, { shape, dtype, data }: HostTensor): void => {
  const wanted = dtype === "int32" ? Int32Array : Float32Array
  if (name === metadataKey) throw new RangeError(`no tensor can be called ${metadataKey}`)
  if (!(data instanceof wanted) || data.length !== Tensor.elements(shape))
    throw new RangeError(
      `${name} does not hold the ${Tensor.elements(shape)} numbers of [${shape.join(", ")}] as ${dtype}`
    )
}

/** What of a file to read, and what to call it in errors. */
export interface DecodeOptions {
  readonly file?: string
  /** Tensors to leave out; their place in the file is checked, their element type may be any. */
  readonly ignore?: (name: string) => boolean
}

/**
 * The tensors of a safetensors file's bytes: F32, F16 and BF16 as float32, I32 as int32.
 *
 * Everything the header says is checked, as `SafetensorsHeader.parse` tells. Fails with `CheckpointError` naming each tensor that is wrong.
 *
 * @example
 * ```ts
 * import { Safetensors } from "homodistil/checkpoint"
 * import { Tensor } from "homodistil/backend"
 * import * as Result from "effect/Result"
 * const bytes = Safetensors.encode({ weight: Tensor.host([1, 2]) })
 * const cut = Result.getOrThrow(Result.flip(Safetensors.decode(bytes.subarray(0, -1), { file: "model.safetensors" })))
 * assert.match(cut.message, /^model\.safetensors: weight ends at byte 8 of data that ends at byte 7;/)
 * ```
 */
export const decode = (bytes: Uint8Array, options: DecodeOptions = {}): Result.Result<Safetensors, CheckpointError> =>
  Result.mapError(decodeAll(bytes, options.ignore ?? (() => false)), (problems) =>
    wrong(options.file ?? "safetensors", problems)
  )

/** Problems of a file's bytes, with what to do. */
export const wrong = (file: string, problems: ReadonlyArray<CheckpointProblem>): CheckpointError =>
  new CheckpointError({ file, problems, remedy })

const remedy = "copy the file again, or write it anew with the safetensors library, in F32"

const decodeAll = (bytes: Uint8Array, ignore: (name: string) => boolean) =>
  Result.gen(function* () {
    const end = lengthBytes + (yield* SafetensorsHeader.length(bytes.subarray(0, lengthBytes), bytes.length))
    const data = bytes.subarray(end)
    const { metadata, regions } = yield* SafetensorsHeader.parse(bytes.subarray(lengthBytes, end), data.length, ignore)
    const values = regions.flatMap(({ name, shape, elements, begin, end }) => {
      if (elements === undefined) return []
      const tensor = empty(shape, elements)
      fill(elements, data.subarray(begin, end), bitsOf(tensor), 0)
      return [[name, tensor] as const]
    })
    const ignored = regions.flatMap(({ name, elements }) => (elements === undefined ? [name] : []))
    return { values: Object.fromEntries(values.sort(byName)), metadata, ignored: ignored.sort() }
  })

/** A tensor of this shape for elements to be put into. */
export const empty = (shape: ReadonlyArray<number>, { dtype }: Elements): HostTensor => {
  const length = Tensor.elements(shape)
  return { shape, dtype, data: dtype === "int32" ? new Int32Array(length) : new Float32Array(length) }
}

/** The bits of a tensor's elements. */
export const bitsOf = ({ data }: HostTensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length)
