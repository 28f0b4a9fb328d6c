import type { DType, HostArray } from "../Tensor.ts"

/** Arrays of ended tensors, kept for later outputs of the same type and size. */
export interface Pool {
  readonly take: (dtype: DType, length: number) => HostArray
  readonly give: (array: HostArray) => void
  /** Forgets what is kept: after a pruning event no output has the old sizes any more. */
  readonly clear: () => void
}

/** An empty pool that keeps at most `bound` arrays of each size: as many as a deep model has parameters and moments of one shape. */
export const make = (bound = 1024): Pool => {
  const kept = new Map<string, Array<HostArray>>()
  const key = (dtype: DType, length: number): string => `${dtype}:${length}`
  return {
    take: (dtype, length) =>
      kept.get(key(dtype, length))?.pop() ?? (dtype === "int32" ? new Int32Array(length) : new Float32Array(length)),
    give: (array) => {
      const name = key(array instanceof Int32Array ? "int32" : "float32", array.length)
      const list = kept.get(name) ?? []
      if (list.length < bound) list.push(array)
      kept.set(name, list)
    },
    clear: () => kept.clear()
  }
}
