import { BLOCK } from "./Control.ts"
import type { Runner } from "./Runner.ts"
import { type Code, encode, f32x4, f64x2, i32, local, overGroups, sequence } from "./Wasm.ts"

/** Variables: where in the block, what is read there, and the sums of its first and last halves. */
const [job, from, end, address, low, high, x, half] = [0, 1, 2, 3, 4, 5, 6, 7]

/** Adds the squares of the two float64 numbers on the stack to a variable. */
const addSquares = (sum: number): Code =>
  sequence(local.tee(half), local.get(half), f64x2.mul, local.get(sum), f64x2.add, local.set(sum))

/** The squares of one block of the vector at `job`, added up; the sum goes to the block's place behind the address at `job + 4`. */
const bytes = encode({
  integers: 1,
  lanes: 4,
  code: sequence(
    // one float64 for each block
    sequence(local.get(job), i32.load(4), local.get(from), i32.constant(Math.log2(BLOCK / 8)), i32.shiftRight),
    sequence(i32.add, local.set(address)),
    overGroups(
      from,
      end,
      sequence(
        sequence(local.get(job), i32.load(0), local.get(from), i32.add, f32x4.load, local.tee(x)),
        sequence(f64x2.promoteLow, addSquares(low)),
        sequence(local.get(x), local.get(x), f64x2.high, f64x2.promoteLow, addSquares(high))
      )
    ),
    sequence(local.get(address), local.get(low), local.get(high), f64x2.add, local.tee(low), f64x2.lane(0)),
    sequence(local.get(low), f64x2.lane(1), f64x2.addLanes, f64x2.store)
  )
})

const ELEMENTS = BLOCK / 4

/**
 * The sum of the squares of all elements of some vectors (the squared Euclidean norm), added up in double precision.
 *
 * The order of the additions depends on the lengths alone, neither on threads nor on where the vectors lie.
 */
export const sumOfSquares = (runner: Runner, vectors: ReadonlyArray<Float32Array>): number => {
  const loaded = runner.load(bytes)
  const { arena, partials, tiles } = runner
  let total = 0
  const add = (at: number, elements: number): void => {
    const blocks = Math.ceil(elements / ELEMENTS)
    runner.job[0] = at
    runner.job[1] = partials.byteOffset
    runner.run(loaded, 4 * elements)
    for (let block = 0; block < blocks; block++) total += partials[block] ?? 0
  }
  for (const vector of vectors) {
    const most = arena.holds(vector) ? partials.length * ELEMENTS : ELEMENTS
    const whole = vector.length - (vector.length % ELEMENTS)
    for (let first = 0; first < vector.length;) {
      const count = Math.min(most, first < whole ? whole - first : vector.length - whole)
      if (first < whole && arena.holds(vector)) add(vector.byteOffset + 4 * first, count)
      else {
        // a last block that is not whole ends in zeros
        const padded = Math.ceil(count / 4) * 4
        tiles.set(vector.subarray(first, first + count))
        tiles.fill(0, count, padded)
        add(tiles.byteOffset, padded)
      }
      first += count
    }
  }
  return total
}
