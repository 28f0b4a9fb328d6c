import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { TensorSpec } from "../backend/index.ts"
import { CheckpointError, type CheckpointProblem, fewOf } from "./CheckpointError.ts"
import { duplicateKey } from "./duplicateKey.ts"
import { isUnused, type Source } from "./HuggingFaceWeights.ts"
import * as InputFile from "./InputFile.ts"
import * as SafetensorsFile from "./SafetensorsFile.ts"

/** The file that holds all weights. */
export const single = "model.safetensors"

/** The file that tells which of several files holds which tensor. */
export const index = "model.safetensors.index.json"

/** The weights of a directory, open for reading, and what of them has no use here. */
export interface WeightFiles extends Source<CheckpointError, never> {
  readonly files: ReadonlyArray<SafetensorsFile.SafetensorsFile>
  readonly unused: ReadonlyArray<string>
}

/**
 * Opens the weights of a Hugging Face directory for as long as the scope: `model.safetensors`, or without it the files that
 * `model.safetensors.index.json` names, which must lie in the directory itself.
 *
 * Fails with `CheckpointError` where a file is missing or its header is wrong, and where the index and the files say different things.
 * Only headers are read.
 */
export const open = (
  directory: string
): Effect.Effect<WeightFiles, CheckpointError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const file = (name: string) => path.join(directory, name)
    if (yield* InputFile.exists(file(single)))
      return together(file(single), [yield* SafetensorsFile.open(file(single), isUnused)])
    const shardOf = yield* readIndex(file(index))
    const fail = (problems: ReadonlyArray<CheckpointProblem>) =>
      new CheckpointError({ file: file(index), problems: fewOf(problems), remedy: indexRemedy })
    const shards = [...new Set(shardOf.values())].sort()
    const missing = yield* Effect.filter(shards, (name) => Effect.map(InputFile.exists(file(name)), (there) => !there))
    if (missing.length > 0)
      return yield* fail(missing.map((name) => ({ reason: `names ${JSON.stringify(name)}, which is not there` })))
    const opened = yield* Effect.forEach(shards, (name) => SafetensorsFile.open(file(name), isUnused))
    const problems = disagreements(shardOf, shards, opened)
    return problems.length > 0 ? yield* fail(problems) : together(file(index), opened)
  })

const indexRemedy = "copy all files of the model again, or save it anew with transformers"

const decodeIndex = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.Struct({ weight_map: Schema.Record(Schema.String, Schema.String) }))
)

/** A name of a file in the directory itself. */
const isPlainName = (name: string): boolean => /^[\w-][\w.-]*\.safetensors$/.test(name) && !name.includes("..")

const readIndex = (file: string) =>
  Effect.gen(function* () {
    const fail = (problems: ReadonlyArray<CheckpointProblem>) =>
      new CheckpointError({ file, problems: fewOf(problems), remedy: indexRemedy })
    const text = new TextDecoder().decode(yield* InputFile.read(file))
    const { weight_map: map } = yield* Effect.mapError(decodeIndex(text), () =>
      fail([{ reason: "is no JSON object whose weight_map names a file for each tensor" }])
    )
    const twice = duplicateKey(text)
    if (twice !== undefined) return yield* fail([{ reason: `holds the key ${JSON.stringify(twice)} twice` }])
    const strange = [...new Set(Object.values(map))].filter((name) => !isPlainName(name))
    if (strange.length > 0)
      return yield* fail(
        strange.map((name) => ({
          reason: `has a weight_map with ${JSON.stringify(name.slice(0, 60))}, not the plain name of a .safetensors file`
        }))
      )
    return new Map(Object.entries(map))
  })

const disagreements = (
  shardOf: ReadonlyMap<string, string>,
  shards: ReadonlyArray<string>,
  opened: ReadonlyArray<SafetensorsFile.SafetensorsFile>
): ReadonlyArray<CheckpointProblem> => {
  const left = new Map(shardOf)
  const strange = opened.flatMap(({ regions }, i) =>
    regions.flatMap(({ name: tensor }) => {
      const said = left.get(tensor)
      if (said !== shards[i])
        return [
          {
            tensor,
            reason: `is in ${shards[i]}, but weight_map ${said === undefined ? "does not say so" : `says ${said}`}`
          }
        ]
      left.delete(tensor)
      return []
    })
  )
  return [
    ...strange,
    ...[...left].map(([tensor, shard]) => ({ tensor, reason: `is not in ${shard}, as weight_map says` }))
  ]
}

const together = (file: string, files: ReadonlyArray<SafetensorsFile.SafetensorsFile>): WeightFiles => {
  const all = files.flatMap((each) => each.regions.map((region) => ({ each, region })))
  const places = new Map(all.map((place) => [place.region.name, place]))
  const place = (name: string) => {
    const found = places.get(name)
    if (found === undefined) throw new RangeError(`there is no tensor ${name} in ${file}`)
    return found
  }
  const entries = all.flatMap(({ region: { name, shape, elements } }): ReadonlyArray<readonly [string, TensorSpec]> =>
    elements === undefined ? [] : [[name, { shape, dtype: elements.dtype }]]
  )
  return {
    file,
    files,
    entries: Object.fromEntries(entries),
    unused: all.flatMap(({ region: { name, elements } }) => (elements === undefined ? [name] : [])),
    read: (name) => {
      const { each, region } = place(name)
      return each.read(region)
    },
    holds: (name, tensor) => {
      const { each, region } = place(name)
      return each.holds(region, tensor)
    }
  }
}
