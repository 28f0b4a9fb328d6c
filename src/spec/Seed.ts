import { createHash } from "node:crypto"
import * as Philox from "./philox.ts"

/**
 * A node in the tree of seeds: its path names the run, the purpose and the step.
 *
 * All randomness of a run is a function of such a path and an index (Salmon et al. 2011, "Parallel random
 * numbers: as easy as 1, 2, 3"), so nothing hidden has to be saved and any batch can be made again alone.
 */
export interface Seed {
  readonly path: string
}

/**
 * The root seed of a run.
 *
 * @example
 * ```ts
 * import { Seed } from "homodistil/spec"
 * const mask = Seed.child(Seed.make(0), "mask", 17)
 * assert.equal(mask.path, "0/mask/17")
 * assert.deepEqual(Seed.integers(mask, 3, 10), Seed.integers(mask, 3, 10))
 * ```
 */
export const make = (seed: number | string): Seed => ({ path: String(seed) })

/** The seed for one purpose and, where it recurs, one step of it. */
export const child = (seed: Seed, purpose: string, step?: number): Seed => ({
  path: step === undefined ? `${seed.path}/${purpose}` : `${seed.path}/${purpose}/${step}`
})

/** `count` random 32-bit words. */
export const words = (seed: Seed, count: number): Uint32Array => {
  const digest = createHash("sha256").update(seed.path).digest()
  return Philox.words(digest.readUInt32LE(0), digest.readUInt32LE(4), count)
}

/** `count` uniform numbers in [0, 1), 32 random bits each. */
export const uniforms = (seed: Seed, count: number): Float64Array => {
  const drawn = words(seed, count)
  const uniform = new Float64Array(count)
  for (let i = 0; i < count; i++) uniform[i] = (drawn[i] ?? 0) / 2 ** 32
  return uniform
}

/** `count` uniform integers in [0, below); `below` is at most 2³². */
export const integers = (seed: Seed, count: number, below: number): Int32Array =>
  Int32Array.from(words(seed, count), (word) => Math.floor((word / 2 ** 32) * below))

/** `count` standard normal numbers (Box-Muller). */
export const normals = (seed: Seed, count: number): Float64Array => {
  const u = words(seed, 2 * count)
  return Float64Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(((u[2 * i] ?? 0) + 1) / (2 ** 32 + 1)))
    return radius * Math.cos((2 * Math.PI * (u[2 * i + 1] ?? 0)) / 2 ** 32)
  })
}

/** A random order of 0 … count - 1 (Fisher-Yates). */
export const permutation = (seed: Seed, count: number): Int32Array => {
  const order = Int32Array.from({ length: count }, (_, i) => i)
  const draws = uniforms(seed, count)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((draws[i] ?? 0) * (i + 1))
    const moved = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = moved
  }
  return order
}
