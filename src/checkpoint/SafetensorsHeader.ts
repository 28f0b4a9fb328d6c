import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Tensor } from "../backend/index.ts"
import { type CheckpointProblem, fewOf } from "./CheckpointError.ts"
import { duplicateKey } from "./duplicateKey.ts"
import { type Elements, readable } from "./elements.ts"

/** Notes of a safetensors file: texts by name. */
export type Metadata = { readonly [key: string]: string }

/** A tensor's place in the data of a file, in bytes after the header; `elements` is absent where its values are not wanted. */
export interface Region {
  readonly name: string
  readonly shape: ReadonlyArray<number>
  readonly elements: Elements | undefined
  readonly begin: number
  readonly end: number
}

/** What the header of a safetensors file says, checked. */
export interface Header {
  readonly metadata: Metadata
  readonly regions: ReadonlyArray<Region>
}

type Problems = ReadonlyArray<CheckpointProblem>

/** The bytes before the header, which say how long it is. */
export const lengthBytes = 8

/** The key under which a header keeps the file's notes. */
export const metadataKey = "__metadata__"

/** No header is longer, in bytes: the format's own bound. */
const longest = 100_000_000

const problem = (reason: string): Result.Result<never, Problems> => Result.fail([{ reason }])

/**
 * The length of the header in bytes, from a file's first eight bytes and its size. Fails where the file is too short for what it says, and
 * above `limit`.
 */
export const length = (first: Uint8Array, size: number, limit = longest): Result.Result<number, Problems> => {
  if (first.length < lengthBytes) return problem(`has ${first.length} bytes, not even the 8 of the header's length`)
  const said = new DataView(first.buffer, first.byteOffset, lengthBytes).getBigUint64(0, true)
  const room = size - lengthBytes
  if (said > room) return problem(`says its header has ${said} bytes, but ${room} follow`)
  return said > limit
    ? problem(`says its header has ${said} bytes, above the ${limit} that are read`)
    : Result.succeed(Number(said))
}

const isRecord = (x: unknown): x is { readonly [key: string]: unknown } =>
  typeof x === "object" && x !== null && !Array.isArray(x)

/**
 * What a header says, from its bytes and the number of bytes that follow it.
 *
 * Everything is checked: UTF-8, JSON, that no key is there twice, each element type, shape and place; tensors must cover the data
 * without gap, overlap or rest. Fails with a problem for each tensor that is wrong.
 *
 * @example
 * ```ts
 * import { SafetensorsHeader } from "homodistil/checkpoint"
 * import * as Result from "effect/Result"
 * const text = '{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}}'
 * const header = Result.getOrThrow(SafetensorsHeader.parse(new TextEncoder().encode(text), 6))
 * assert.deepEqual(header.regions.map(({ name, shape, end }) => [name, shape, end]), [["a", [3], 6]])
 * ```
 */
export const parse = (
  bytes: Uint8Array,
  dataLength: number,
  ignore: (name: string) => boolean = () => false
): Result.Result<Header, Problems> =>
  Result.gen(function* () {
    const header = yield* entriesOf(bytes)
    const metadata = yield* readMetadata(header)
    const entries = Object.entries(header).filter(([name]) => name !== metadataKey)
    const read = entries.map(([name, entry]) => regionOf(name, entry, ignore(name)))
    const wrong = read.flatMap((region) => (Result.isFailure(region) ? [region.failure] : []))
    if (wrong.length > 0) return yield* Result.fail(fewOf(wrong))
    const regions = read.flatMap((region) => (Result.isSuccess(region) ? [region.success] : []))
    const misplaced = misplacements(regions, dataLength)
    return misplaced.length > 0 ? yield* Result.fail(fewOf(misplaced)) : { metadata, regions }
  })

const JsonText = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Unknown))

const entriesOf = (bytes: Uint8Array) =>
  Result.gen(function* () {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    const text = yield* Result.try({
      try: () => decoder.decode(bytes),
      catch: (): Problems => [{ reason: "has a header that is not UTF-8" }]
    })
    const header = yield* Result.mapError(JsonText(text), (): Problems => [{ reason: "has a header that is not JSON" }])
    if (!isRecord(header)) return yield* problem("has a header that is not a JSON object")
    const twice = duplicateKey(text)
    return twice === undefined
      ? header
      : yield* problem(`has a header that holds the key ${JSON.stringify(twice)} twice`)
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
const decodeEntry = Schema.decodeUnknownResult(
  Schema.Struct({ dtype: Schema.String, shape: Schema.Array(Natural), data_offsets: Schema.Tuple([Natural, Natural]) })
)

const regionOf = (name: string, entry: unknown, ignored: boolean): Result.Result<Region, CheckpointProblem> => {
  const wrong = (reason: string) => Result.fail<CheckpointProblem>({ tensor: name, reason })
  const decoded = decodeEntry(entry)
  if (Result.isFailure(decoded)) return wrong("has no dtype, shape and data_offsets of whole numbers")
  const { dtype, shape, data_offsets } = decoded.success
  const [begin, end] = data_offsets
  if (end < begin) return wrong(`ends at byte ${end}, before it begins at byte ${begin}`)
  if (ignored) return Result.succeed({ name, shape, elements: undefined, begin, end })
  const elements = Object.hasOwn(readable, dtype) ? readable[dtype] : undefined
  if (elements === undefined)
    return wrong(`has dtype ${JSON.stringify(dtype)}, not one of ${Object.keys(readable).join(", ")}`)
  const size = Tensor.elements(shape) * elements.bytes
  return size === end - begin
    ? Result.succeed({ name, shape, elements, begin, end })
    : wrong(`has ${end - begin} bytes, but shape [${shape.join(", ")}] of ${dtype} takes ${size}`)
}

/** Where tensors in the order of their places leave the data's end, overlap, or leave bytes that belong to none. */
const misplacements = (regions: ReadonlyArray<Region>, dataLength: number): Problems => {
  const ordered = [...regions].sort((a, b) => a.begin - b.begin || a.end - b.end)
  let at = 0
  const wrong = ordered.flatMap(({ name: tensor, begin, end }): Problems => {
    const free = at
    at = Math.max(at, end)
    if (end > dataLength) return [{ tensor, reason: `ends at byte ${end} of data that ends at byte ${dataLength}` }]
    if (begin < free)
      return [{ tensor, reason: `begins at byte ${begin}, inside the tensor that ends at byte ${free}` }]
    return begin > free ? [{ tensor, reason: `begins at byte ${begin}, leaving a gap after byte ${free}` }] : []
  })
  return at < dataLength ? [...wrong, { reason: `has ${dataLength - at} bytes after its last tensor` }] : wrong
}
