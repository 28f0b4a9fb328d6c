import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type HostTensor, Tensor } from "../backend/index.ts"
import type { ParameterValues } from "../model/index.ts"
import { CheckpointError, type CheckpointProblem } from "./CheckpointError.ts"
import { type Elements, readable } from "./elements.ts"

/** Notes of a safetensors file: texts by name. */
export type Metadata = { readonly [key: string]: string }

/** What a safetensors file holds. */
export interface Safetensors {
  readonly values: ParameterValues
  readonly metadata: Metadata
  /** The names of tensors that were left out on request, sorted. */
  readonly ignored: ReadonlyArray<string>
}

const lengthBytes = 8
const metadataKey = "__metadata__"

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
  const bytes = new Uint8Array(lengthBytes + headerLength + at)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true)
  bytes.fill(0x20, lengthBytes, lengthBytes + headerLength).set(json, lengthBytes)
  let to = lengthBytes + headerLength
  for (const [, { data }] of tensors) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), to)
    to += data.byteLength
  }
  return bytes
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
 * Everything the header says is checked: its length, its JSON, each element type, shape and place; the tensors must cover the
 * data without gap, overlap or rest. Fails with `CheckpointError` naming each tensor that is wrong.
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
  Result.mapError(
    decodeAll(bytes, options.ignore ?? (() => false)),
    (problems) => new CheckpointError({ file: options.file ?? "safetensors", problems, remedy })
  )

const remedy = "copy the file again, or write it anew with the safetensors library, in F32"

type Problems = ReadonlyArray<CheckpointProblem>

/** A tensor's place in the data; `elements` is absent where its values are not wanted. */
interface Region {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly elements: Elements | undefined
  readonly begin: number
  readonly end: number
}

const decodeAll = (bytes: Uint8Array, ignore: (name: string) => boolean): Result.Result<Safetensors, Problems> =>
  Result.gen(function* () {
    const { header, data } = yield* split(bytes)
    const metadata = yield* readMetadata(header)
    const entries = Object.entries(header).filter(([name]) => name !== metadataKey)
    const read = entries.map(([name, entry]) => regionOf(name, entry, ignore(name)))
    const wrong = read.flatMap((region) => (Result.isFailure(region) ? [region.failure] : []))
    if (wrong.length > 0) return yield* Result.fail(wrong)
    const regions = read.flatMap((region) => (Result.isSuccess(region) ? [region.success] : []))
    const misplaced = misplacements(regions, data.length)
    if (misplaced.length > 0) return yield* Result.fail(misplaced)
    const values = regions.flatMap((region) => valuesOf(region, data))
    const ignored = regions.flatMap(({ name, elements }) => (elements === undefined ? [name] : []))
    return { values: Object.fromEntries(values.sort(byName)), metadata, ignored: ignored.sort() }
  })

const JsonText = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))
const isRecord = (x: unknown): x is { readonly [key: string]: unknown } =>
  typeof x === "object" && x !== null && !Array.isArray(x)

const problem = (reason: string): Result.Result<never, Problems> => Result.fail([{ reason }])

const split = (bytes: Uint8Array) =>
  Result.gen(function* () {
    if (bytes.length < lengthBytes)
      return yield* problem(`has ${bytes.length} bytes, not even the 8 of the header's length`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const [length, room] = [view.getBigUint64(0, true), bytes.length - lengthBytes]
    if (length > room) return yield* problem(`says its header has ${length} bytes, but ${room} follow`)
    const [begin, end] = [lengthBytes, lengthBytes + Number(length)]
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const text = yield* Result.try({
      try: () => decoder.decode(bytes.subarray(begin, end)),
      catch: (): Problems => [{ reason: "has a header that is not UTF-8" }]
    })
    const header = yield* Result.mapError(JsonText(text), (): Problems => [{ reason: "has a header that is not JSON" }])
    if (!isRecord(header)) return yield* problem("has a header that is not a JSON object")
    return { header, data: bytes.subarray(end) }
  })

const readMetadata = (header: { readonly [key: string]: unknown }): Result.Result<Metadata, Problems> => {
  const notes = Object.hasOwn(header, metadataKey) ? header[metadataKey] : {}
  const texts = isRecord(notes) ? Object.entries(notes) : [["", undefined] as const]
  const strings = texts.flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : []))
  return strings.length === texts.length
    ? Result.succeed(Object.fromEntries(strings))
    : problem(`has ${metadataKey} that does not hold texts only`)
}

const Natural = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Entry = Schema.Struct({
  dtype: Schema.String,
  shape: Schema.Array(Natural),
  data_offsets: Schema.Tuple([Natural, Natural])
})
const decodeEntry = Schema.decodeUnknownResult(Entry)

const regionOf = (name: string, entry: unknown, ignored: boolean): Result.Result<Region, CheckpointProblem> =>
  Result.gen(function* () {
    const wrong = (reason: string) => Result.fail<CheckpointProblem>({ tensor: name, reason })
    const decoded = decodeEntry(entry)
    if (Result.isFailure(decoded)) return yield* wrong("has no dtype, shape and data_offsets of whole numbers")
    const { dtype, shape, data_offsets } = decoded.success
    const [begin, end] = data_offsets
    if (end < begin) return yield* wrong(`ends at byte ${end}, before it begins at byte ${begin}`)
    if (ignored) return { name, shape, elements: undefined, begin, end }
    const elements = Object.hasOwn(readable, dtype) ? readable[dtype] : undefined
    if (elements === undefined)
      return yield* wrong(`has dtype ${JSON.stringify(dtype)}, not one of ${Object.keys(readable).join(", ")}`)
    const size = Tensor.elements(shape) * elements.bytes
    if (size !== end - begin)
      return yield* wrong(`has ${end - begin} bytes, but shape [${shape.join(", ")}] of ${dtype} takes ${size}`)
    return { name, shape, elements, begin, end }
  })

/** Where tensors in the order of their places leave the data's end, overlap, or leave bytes that belong to none. */
const misplacements = (regions: ReadonlyArray<Region>, length: number): Problems => {
  const ordered = [...regions].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let at = 0
  const wrong = ordered.flatMap(({ name: tensor, begin, end }): Problems => {
    const free = at
    at = Math.max(at, end)
    if (end > length) return [{ tensor, reason: `ends at byte ${end} of data that ends at byte ${length}` }]
    if (begin < free)
      return [{ tensor, reason: `begins at byte ${begin}, inside the tensor that ends at byte ${free}` }]
    return begin > free ? [{ tensor, reason: `begins at byte ${begin}, leaving a gap after byte ${free}` }] : []
  })
  return at < length ? [...wrong, { reason: `has ${length - at} bytes after its last tensor` }] : wrong
}

const valuesOf = (region: Region, data: Uint8Array): ReadonlyArray<readonly [string, HostTensor]> => {
  const { name, shape, elements, begin, end } = region
  if (elements === undefined) return []
  // a buffer of its own: views of four-byte elements must be aligned, and the file's bytes may be let go
  const own = new Uint8Array(end - begin)
  own.set(data.subarray(begin, end))
  const values = elements.read(own.buffer)
  return [[name, { shape, dtype: values instanceof Int32Array ? "int32" : "float32", data: values }]]
}
