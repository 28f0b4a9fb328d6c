import * as Result from "effect/Result"
import type { HostArray } from "../Tensor.ts"
import * as Kernel from "./kernel.ts"
import { CannotFuse, compile, type Recorded } from "./Program.ts"
import type { Runner } from "./Runner.ts"

/** Numbers, or anything else, by name. */
type Named<T> = { readonly [name: string]: T }

/** A text as one pass over vectors: each element is read once, and written once to where its results belong. */
export interface Sweep {
  /** The vectors that must be given: what is read, what is written, or both. */
  readonly vectors: ReadonlyArray<{ readonly name: string; readonly reads: boolean; readonly writes: boolean }>
  /** The scalars that must be given. */
  readonly scalars: ReadonlyArray<string>
  /**
   * Overwrites the vectors that the text's outputs belong to. All vectors have one length, any length; vectors outside the runner's arena
   * are copied piece by piece. A defect for a vector or scalar that is missing, for lengths that differ, and for a written vector that
   * overlaps another one.
   */
  readonly run: (vectors: Named<Float32Array>, scalars: Named<number>) => void
}

/** Elements of each vector that are copied at a time, where room allows. */
const TILE = 4096

/**
 * Compiles a recorded text for a runner. Each output is written to the vector of its own path, or to the one that `vectorOf` names:
 * an input, which it replaces, or another vector.
 */
export const make = (
  runner: Runner,
  recorded: Recorded,
  vectorOf?: (output: string) => string
): Result.Result<Sweep, CannotFuse> =>
  Result.flatMap(compile(recorded, vectorOf), (program) => {
    const kernel = Kernel.compile(program)
    return kernel.vectors.length + kernel.scalars.length > runner.job.length
      ? Result.fail(new CannotFuse({ op: "Input", reason: `more than ${runner.job.length} vectors and scalars` }))
      : Result.succeed(sweepOf(runner, kernel))
  })

const sweepOf = (runner: Runner, { bytes, vectors, scalars }: Kernel.Kernel): Sweep => {
  const { arena, job, tiles } = runner
  const loaded = runner.load(bytes)
  const jobScalars = new Float32Array(job.buffer, job.byteOffset + 4 * vectors.length, scalars.length)
  const room = Math.min(TILE, Math.floor(tiles.length / Math.max(vectors.length, 1) / 4) * 4)

  /** Works on `count` elements from `first`, at most a tile; what is `outside` is copied in, and back where it is written. */
  const piece = (
    arrays: ReadonlyArray<Float32Array>,
    outside: ReadonlyArray<boolean>,
    first: number,
    count: number
  ) => {
    arrays.forEach((array, i) => {
      const at = i * room
      job[i] = outside[i] === true ? tiles.byteOffset + 4 * at : array.byteOffset + 4 * first
      if (outside[i] === true && vectors[i]?.reads === true) tiles.set(array.subarray(first, first + count), at)
    })
    runner.run(loaded, 4 * count)
    arrays.forEach((array, i) => {
      const at = i * room
      if (outside[i] === true && vectors[i]?.writes === true) array.set(tiles.subarray(at, at + count), first)
    })
  }

  const run: Sweep["run"] = (given, numbers) => {
    const arrays = vectors.map(({ name }) => at(given, name, "vector"))
    const length = arrays[0]?.length ?? 0
    check(vectors, arrays, arena.holds)
    scalars.forEach((name, i) => (jobScalars[i] = at(numbers, name, "scalar")))
    const outside = arrays.map((array) => !arena.holds(array))
    const step = outside.includes(true) ? room : Math.max(length, 1)
    const whole = length - (length % 4)
    for (let first = 0; first < whole; first += step) piece(arrays, outside, first, Math.min(step, whole - first))
    // the last one to three elements are worked on elsewhere, as a group of four of which the rest is dropped
    if (whole < length)
      piece(
        arrays,
        arrays.map(() => true),
        whole,
        length - whole
      )
  }
  return { vectors, scalars, run }
}

const at = <A>(values: Named<A>, name: string, kind: string): A => {
  const value = values[name]
  if (value === undefined) throw new RangeError(`the sweep needs a ${kind} ${name}`)
  return value
}

const check = (
  vectors: Sweep["vectors"],
  arrays: ReadonlyArray<Float32Array>,
  holds: (array: HostArray) => boolean
): void => {
  const [first] = arrays
  vectors.forEach(({ name, writes }, i) => {
    const array = arrays[i]
    if (array === undefined || first === undefined) return
    if (array.length !== first.length)
      throw new RangeError(`vector ${name} has ${array.length} elements, another one ${first.length}`)
    if (!writes) return
    arrays.forEach((other, j) => {
      if (i === j || (other.buffer !== array.buffer && !(holds(other) && holds(array)))) return
      const distance = Math.abs(other.byteOffset - array.byteOffset)
      const same = distance === 0 && vectors[j]?.writes === false
      if (!same && distance < array.byteLength)
        throw new RangeError(`vector ${name} is written and overlaps vector ${vectors[j]?.name ?? j}`)
    })
  })
}
