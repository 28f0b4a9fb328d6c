import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { HuggingFace } from "../../src/checkpoint/index.ts"
import { objectOf } from "./samples.ts"

/** The bytes of a directory's files. */
type Directory = { readonly [name: string]: Uint8Array }

const golden = fileURLToPath(new URL("../golden/bert/", import.meta.url))

const directory = (name: string): Directory => ({
  ...Object.fromEntries(
    readdirSync(golden + name)
      .filter((file) => file !== "expected.safetensors")
      .map((file) => [file, readFileSync(`${golden}${name}/${file}`)])
  ),
  "provenance.json": new TextEncoder().encode('{"seed":0,"heldOut":{"loss":4.1}}')
})

/** Whole directories of every kind that is read: one file or several, with head and without, tied and not, halves. */
const whole: ReadonlyArray<Directory> = [
  "untied-relu",
  "masked-gelu_pytorch_tanh-sharded",
  "encoder-gelu-bfloat16",
  "pretraining-gelu_new-old"
].map(directory)

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

type Change = (bytes: Uint8Array) => Uint8Array

const bytesChange: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, byte]): Change =>
      (bytes) =>
        bytes.with(at % Math.max(1, bytes.length), byte)
  ),
  fc.nat().map(
    (length): Change =>
      (bytes) =>
        bytes.subarray(0, length % (bytes.length + 1))
  ),
  fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 12 })).map(([at, more]): Change => (bytes) => {
    const place = at % (bytes.length + 1)
    return Uint8Array.of(...bytes.subarray(0, place), ...more, ...bytes.subarray(place))
  }),
  // a float32 that is no number, wherever it lands
  fc.nat().map((at): Change => (bytes) => {
    const changed = Uint8Array.from(bytes)
    changed.set([0, 0, 192, 127], (4 * at) % Math.max(1, bytes.length - 4))
    return changed
  })
)

const isObject = (x: unknown): x is { [key: string]: unknown } => typeof x === "object" && x !== null

/** Puts a value at some place of a JSON structure, by numbers that choose the way. */
const put = (json: unknown, way: ReadonlyArray<number>, value: unknown): unknown => {
  const [step, ...rest] = way
  if (!isObject(json) || step === undefined || Object.keys(json).length === 0) return value
  const key = Object.keys(json)[step % Object.keys(json).length] ?? ""
  const inner = rest.length === 0 ? value : put(json[key], rest, value)
  return Array.isArray(json) ? json.with(Number(key), inner) : { ...json, [key]: inner }
}

/** What is done to the text of a JSON structure: a value replaced, added under a nasty key, a key left out or there twice. */
const jsonChange: fc.Arbitrary<(text: string) => string> = fc.oneof(
  fc.tuple(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), nasty).map(
    ([way, value]) =>
      (text: string) =>
        JSON.stringify(put(JSON.parse(text), way, value))
  ),
  fc.tuple(fc.constantFrom("__proto__", "constructor", "toString", "", "__metadata__", "bert.x", "\0"), nasty).map(
    ([key, value]) =>
      (text: string) =>
        text.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)},`)
  ),
  fc.nat().map((at) => (text: string) => {
    const entries = Object.entries(objectOf(text))
    return JSON.stringify(Object.fromEntries(entries.filter((_, i) => i !== at % entries.length)))
  }),
  fc.nat().map((at) => (text: string) => {
    const entries = Object.entries(objectOf(text))
    const [key, value] = entries[at % entries.length] ?? ["x", 0]
    return text.replace("{", () => `{${JSON.stringify(key)}:${JSON.stringify(value)},`)
  })
)

const encode = (text: string) => new TextEncoder().encode(text)

/** A change of the header of a safetensors file that leaves its length right. */
const inHeader =
  (change: (text: string) => string): Change =>
  (bytes) => {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    const json = encode(change(new TextDecoder().decode(bytes.subarray(8, 8 + length))))
    const file = new Uint8Array(8 + json.length + bytes.length - 8 - length)
    new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true)
    file.set(json, 8)
    file.set(bytes.subarray(8 + length), 8 + json.length)
    return file
  }

/** A directory that was damaged, and the names of the files that were. */
export const damaged: fc.Arbitrary<{ readonly files: Directory; readonly names: ReadonlyArray<string> }> = fc
  .constantFrom(...whole)
  .chain((files) => {
    const one = fc.constantFrom(...Object.keys(files)).chain((name) => {
      const structured = name.endsWith(".json")
        ? jsonChange.map(
            (change): Change =>
              (bytes) =>
                encode(change(new TextDecoder().decode(bytes)))
          )
        : jsonChange.map(inHeader)
      return fc.oneof({ arbitrary: structured, weight: 3 }, bytesChange).map((change) => ({ name, change }))
    })
    // one change a file: a second could not read what the first left
    return fc.uniqueArray(one, { selector: ({ name }) => name, minLength: 1, maxLength: 2 }).map((changes) => ({
      names: changes.map(({ name }) => name),
      files: {
        ...files,
        ...Object.fromEntries(changes.map(({ name, change }) => [name, change(files[name] ?? new Uint8Array(0))]))
      }
    }))
  })

/**
 * Reads a damaged directory from a folder: it must give a model of finite numbers, or a typed error that names a file or the setting; and
 * it must leave the folder as it was.
 */
export const survives = async (folder: string, files: Directory): Promise<"read" | "refused"> => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, bytes] of Object.entries(files)) writeFileSync(`${folder}/${name}`, bytes)
  const exit = await Effect.runPromiseExit(Effect.provide(HuggingFace.read(folder), NodeServices.layer))
  assert.deepStrictEqual(readdirSync(folder).toSorted(), Object.keys(files).toSorted())
  if (Exit.isSuccess(exit)) {
    for (const { data } of Object.values(exit.value.parameters)) assert.isTrue(data.every((x) => Number.isFinite(x)))
    return "read"
  }
  const error = Cause.squash(exit.cause)
  assert.isTrue(
    isObject(error) && (error["_tag"] === "ConfigError" || error["_tag"] === "CheckpointError"),
    `not a typed error: ${Cause.pretty(exit.cause)}`
  )
  assert.isFalse(Cause.hasDies(exit.cause))
  const message = String(isObject(error) ? error["message"] : "")
  assert.match(message, /config\.json|\.safetensors|provenance\.json|^teacher = /)
  assert.isBelow(message.length, 100_000)
  return "refused"
}
