import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { type HostTensor, Tensor } from "../backend/index.ts"
import type { CheckpointError } from "./CheckpointError.ts"
import { type Elements, fill } from "./elements.ts"
import * as InputFile from "./InputFile.ts"
import * as Safetensors from "./Safetensors.ts"
import * as SafetensorsHeader from "./SafetensorsHeader.ts"

/** A safetensors file that is open: its header was read and checked, its tensors are read one at a time. */
export interface SafetensorsFile extends SafetensorsHeader.Header {
  readonly file: string
  /** The values of a tensor, straight into the memory they stay in; a defect for one that was not wanted. */
  readonly read: (region: SafetensorsHeader.Region) => Effect.Effect<HostTensor, CheckpointError>
  /** Whether the file's tensor has these bits, without holding it as a whole. */
  readonly holds: (region: SafetensorsHeader.Region, tensor: HostTensor) => Effect.Effect<boolean, CheckpointError>
}

/** Room for a piece of a tensor: its bytes in the file, and its bits. */
interface Scratch {
  readonly raw: Uint8Array
  readonly bits: Uint32Array
}

/** No header is longer, in bytes: four thousand tensors fit, and what its JSON becomes in memory stays small beside a model. */
const longest = 2 ** 19

/** Elements that are widened or compared at once. */
const atOnce = 2 ** 16

/**
 * Opens a safetensors file for as long as the scope; `ignore` names tensors whose values are not wanted.
 *
 * Fails with `CheckpointError` where it cannot be read or its header is wrong, as `SafetensorsHeader.parse` tells; no value is read yet.
 *
 * @example
 * ```ts
 * import { Safetensors, SafetensorsFile } from "homodistil/checkpoint"
 * import { Tensor } from "homodistil/backend"
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * const program = Effect.gen(function* () {
 *   const fs = yield* FileSystem.FileSystem
 *   const path = yield* fs.makeTempFileScoped()
 *   yield* fs.writeFile(path, Safetensors.encode({ a: Tensor.host([1, 2]), b: Tensor.host([3]) }))
 *   const file = yield* SafetensorsFile.open(path)
 *   return yield* Effect.forEach(file.regions, file.read)
 * })
 * const tensors = await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
 * assert.deepEqual(tensors.map(({ data }) => [...data]), [[1, 2], [3]])
 * ```
 */
export const open = (
  file: string,
  ignore?: (name: string) => boolean
): Effect.Effect<SafetensorsFile, CheckpointError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const { size, into } = yield* InputFile.open(file)
    const checked = <A>(result: Result.Result<A, Parameters<typeof Safetensors.wrong>[1]>) =>
      Effect.fromResult(Result.mapError(result, (problems) => Safetensors.wrong(file, problems)))
    const first = new Uint8Array(Math.min(SafetensorsHeader.lengthBytes, size))
    yield* into(first, 0)
    const bytes = new Uint8Array(yield* checked(SafetensorsHeader.length(first, size, longest)))
    yield* into(bytes, first.length)
    const start = first.length + bytes.length
    const header = yield* checked(SafetensorsHeader.parse(bytes, size - start, ignore))

    // kept from one tensor to the next: left to the garbage collector, they would add up to the size of a small model
    let spare: Scratch | undefined

    /** Hands the bits of a tensor over, so many at a time. */
    const pieces = (
      { shape, begin }: SafetensorsHeader.Region,
      elements: Elements,
      use: (bits: Uint32Array, from: number) => boolean
    ): Effect.Effect<boolean, CheckpointError> =>
      Effect.gen(function* () {
        const length = Tensor.elements(shape)
        const scratch = spare ?? { raw: new Uint8Array(4 * atOnce), bits: new Uint32Array(atOnce) }
        spare = undefined
        const { raw, bits } = scratch
        for (let from = 0; from < length; from += atOnce) {
          const count = Math.min(atOnce, length - from)
          const part = raw.subarray(0, count * elements.bytes)
          yield* into(part, start + begin + from * elements.bytes)
          fill(elements, part, bits, 0)
          if (!use(bits.subarray(0, count), from)) return false
        }
        spare = scratch
        return true
      })

    const wanted = ({ name, elements }: SafetensorsHeader.Region): Elements => {
      if (elements === undefined) throw new RangeError(`the values of ${name} were not wanted`)
      return elements
    }

    return {
      ...header,
      file,
      read: (region) =>
        Effect.gen(function* () {
          const elements = wanted(region)
          const tensor = Safetensors.empty(region.shape, elements)
          const target = Safetensors.bitsOf(tensor)
          if (elements.widen === undefined)
            yield* into(new Uint8Array(target.buffer, target.byteOffset, target.byteLength), start + region.begin)
          else
            yield* pieces(region, elements, (bits, from) => {
              target.set(bits, from)
              return true
            })
          return tensor
        }),
      holds: (region, tensor) =>
        Effect.suspend(() => {
          const [elements, target] = [wanted(region), Safetensors.bitsOf(tensor)]
          if (elements.dtype !== tensor.dtype || Tensor.elements(region.shape) !== target.length)
            return Effect.succeed(false)
          return pieces(region, elements, (bits, from) => bits.every((x, i) => x === target[from + i]))
        })
    }
  })
