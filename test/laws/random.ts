import { type HostTensor, Tensor } from "homodistil/backend"
import { Seed } from "homodistil/spec"

/** Uniform numbers in [-scale, scale) of a shape; multiples of scale / 256, so that small products are exact in float32. */
export const uniform = (seed: Seed.Seed, shape: ReadonlyArray<number>, scale = 1): HostTensor => {
  const draws = Seed.integers(seed, Tensor.elements(shape), 512)
  return Tensor.host(
    Array.from(draws, (draw) => (scale * (draw - 256)) / 256),
    shape
  )
}

/** A tensor's rows and columns in another order, or only some of them. */
export const pick = (x: HostTensor, rows: ReadonlyArray<number>, columns: ReadonlyArray<number>): HostTensor => {
  const width = x.shape[1] ?? 1
  return Tensor.host(
    rows.flatMap((row) => columns.map((column) => x.data[row * width + column] ?? Number.NaN)),
    [rows.length, columns.length],
    x.dtype
  )
}

/** How many times a property is tried: few, for every component is tried under every law. */
export const runs = { numRuns: 10 }
