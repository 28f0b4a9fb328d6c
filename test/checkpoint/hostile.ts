import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { HuggingFace } from "../../src/checkpoint/index.ts"
import { bytesChange, type Change, encode, inText, isObject, jsonChange } from "../damage.ts"

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

/** As any file's, and a float32 that is no number, wherever it lands. */
const weightsChange: fc.Arbitrary<Change> = fc.oneof(
  { arbitrary: bytesChange, weight: 3 },
  fc.nat().map((at): Change => (bytes) => {
    const changed = Uint8Array.from(bytes)
    changed.set([0, 0, 192, 127], (4 * at) % Math.max(1, bytes.length - 4))
    return changed
  })
)

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
      const structured = jsonChange().map(name.endsWith(".json") ? inText : inHeader)
      return fc.oneof({ arbitrary: structured, weight: 3 }, weightsChange).map((change) => ({ name, change }))
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
