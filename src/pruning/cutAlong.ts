import type { HostArray, HostTensor } from "../backend/index.ts"

/** A copy of this length of the same kind. */
const empty = (like: HostArray, length: number): HostArray =>
  like instanceof Int32Array ? new Int32Array(length) : new Float32Array(length)

/** Runs shorter than this are copied number by number: a view costs more than it saves. */
const shortRun = 16

/**
 * The given units along one dimension of a tensor, in their order.
 *
 * @example
 * ```ts
 * import { Tensor } from "homodistil/backend"
 * import { cutAlong } from "homodistil/pruning"
 * assert.deepEqual([...cutAlong(Tensor.host([1, 2, 3, 4], [2, 2]), 1, Int32Array.of(1)).data], [2, 4])
 * ```
 */
export const cutAlong = (tensor: HostTensor, dimension: number, units: Int32Array): HostTensor => {
  const { shape, data, dtype } = tensor
  const size = shape[dimension] ?? 1
  const inner = shape.slice(dimension + 1).reduce((n, each) => n * each, 1)
  const outer = data.length / (size * inner)
  const kept = empty(data, outer * units.length * inner)
  let to = 0
  // neighbouring numbers one by one: the common case of a matrix's columns
  if (inner === 1) {
    for (let start = 0; start < data.length; start += size)
      for (let u = 0; u < units.length; u++) kept[to++] = data[start + (units[u] ?? 0)] ?? 0
    return { shape: shape.map((each, d) => (d === dimension ? units.length : each)), dtype, data: kept }
  }
  for (let block = 0; block < outer; block++) {
    const start = block * size
    for (let u = 0; u < units.length; u++) {
      const from = (start + (units[u] ?? 0)) * inner
      if (inner >= shortRun) kept.set(data.subarray(from, from + inner), to)
      else for (let i = 0; i < inner; i++) kept[to + i] = data[from + i] ?? 0
      to += inner
    }
  }
  return { shape: shape.map((each, d) => (d === dimension ? units.length : each)), dtype, data: kept }
}
