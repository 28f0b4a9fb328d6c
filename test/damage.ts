import * as fc from "fast-check"
import { objectOf } from "./checkpoint/samples.ts"

// what the tests of hostile files do to the bytes of a good one

/** Something done to the bytes of a file. */
export type Change = (bytes: Uint8Array) => Uint8Array

/** Numbers, names and structures that readers of files fall over. */
const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(0, -1, 1.5, 4, 7, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 1e300, -1e300, null, true, {}, []),
  fc.constantFrom(
    "",
    "F64",
    "U8",
    "__proto__",
    "relative_key",
    "..",
    "../model.safetensors",
    "/dev/zero",
    "a\0.safetensors",
    "\u{d800}"
  ),
  fc.constantFrom(
    [0, 4],
    [4, 0],
    [0, 2 ** 40],
    [2 ** 40, 2 ** 40],
    [-4, 0],
    [1e9, 1e9],
    Array.from({ length: 300 }, () => 2)
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: 1, max: 3000 }).map((depth) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 0))
)

/** A byte that is another one, the end cut off, bytes put in: of text, seldom UTF-8 afterwards. */
export const bytesChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, byte]): Change =>
      (bytes) =>
        bytes.length === 0 ? bytes : bytes.with(at % bytes.length, byte)
  ),
  fc.nat().map(
    (length): Change =>
      (bytes) =>
        bytes.subarray(0, length % (bytes.length + 1))
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 12 })).map(([at, more]): Change => (bytes) => {
    const place = at % (bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)])
  })
)

/** Whether something is an object or a list. */
export const isObject = (x: unknown): x is { [key: string]: unknown } => typeof x === "object" && x !== null

/** A way into a JSON structure: numbers that choose the field at each depth. */
const way = (depth: number) => fc.array(fc.nat(), { minLength: 1, maxLength: depth })

/** Puts a value at some place of a JSON structure. */
const put = (json: unknown, [step, ...rest]: ReadonlyArray<number>, value: unknown): unknown => {
  if (!isObject(json) || step === undefined || Object.keys(json).length === 0) return value
  const key = Object.keys(json)[step % Object.keys(json).length] ?? ""
  const inner = rest.length === 0 ? value : put(json[key], rest, value)
  return Array.isArray(json) ? json.with(Number(key), inner) : { ...json, [key]: inner }
}

/** Takes out what stands at some place of a JSON structure. */
const take = (json: unknown, [step, ...rest]: ReadonlyArray<number>): unknown => {
  if (!isObject(json) || step === undefined || Object.keys(json).length === 0) return json
  const entries = Object.entries(json)
  const at = step % entries.length
  const inner = entries[at]?.[1]
  const left =
    rest.length > 0 && isObject(inner)
      ? entries.with(at, [entries[at]?.[0] ?? "", take(inner, rest)])
      : entries.filter((_, i) => i !== at)
  return Array.isArray(json) ? left.map(([, value]) => value) : Object.fromEntries(left)
}

const place = "the place of what JSON.stringify could not write"

/** What is too deep or too long to write with `JSON.stringify`, or is no JSON number a program would write. */
const giants = [
  "[".repeat(100_000) + "]".repeat(100_000),
  `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
  `"${"a".repeat(50_000)}"`,
  "1".repeat(5000),
  "-1e999"
]

/**
 * What is done to the text of a JSON structure, as deep in it as `depth`: a value replaced, by a giant now and then, or added under a nasty
 * key; a key left out or there twice.
 */
export const jsonChange = (depth = 3): fc.Arbitrary<(text: string) => string> =>
  fc.oneof(
    { arbitrary: replaced(depth), weight: 3 },
    fc.tuple(way(depth), fc.constantFrom(...giants)).map(
      ([steps, giant]) =>
        (text: string) =>
          JSON.stringify(put(JSON.parse(text), steps, place)).replace(JSON.stringify(place), () => giant)
    ),
    fc.tuple(fc.constantFrom("__proto__", "constructor", "toString", "", "__metadata__", "bert.x", "\0"), nasty).map(
      ([key, value]) =>
        (text: string) =>
          text.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)},`)
    ),
    way(depth).map((steps) => (text: string) => JSON.stringify(take(JSON.parse(text), steps))),
    fc.nat().map((at) => (text: string) => {
      const entries = Object.entries(objectOf(text))
      const [key, value] = entries[at % entries.length] ?? ["x", 0]
      return text.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)},`)
    }),
    fc.tuple(fc.nat(), nasty).map(([at, value]) => (text: string) => {
      const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*" *:/g)]
      const { 0: key = "", index = 0 } = keys[at % keys.length] ?? {}
      return key === "" ? text : `${text.slice(0, index)}${key}${JSON.stringify(value)},${text.slice(index)}`
    })
  )

const replaced = (depth: number): fc.Arbitrary<(text: string) => string> =>
  fc.tuple(way(depth), nasty).map(
    ([steps, value]) =>
      (text: string) =>
        JSON.stringify(put(JSON.parse(text), steps, value))
  )

/** The bytes of a text. */
export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A change of a text as one of its bytes. */
export const inText =
  (change: (text: string) => string): Change =>
  (bytes) =>
    encode(change(new TextDecoder().decode(bytes)))
