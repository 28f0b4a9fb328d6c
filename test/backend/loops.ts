import { ops } from "homodistil/backend"
import { gelu as plainGelu, geluTanh as plainGeluTanh, swish as plainSwish } from "../gelu.ts"
import { at, type Named } from "./engines.ts"

// The operators in plain loops over double-precision numbers, written from their definitions alone.

type Numbers = ArrayLike<number>

/** An operator over plain numbers. */
export type Text = (x: Named<Float64Array>) => Float64Array

const get = (values: Numbers, i: number): number => values[i] ?? Number.NaN
const fill = (length: number, f: (i: number) => number): Float64Array => Float64Array.from({ length }, (_, i) => f(i))
const range = (length: number): ReadonlyArray<number> => Array.from({ length }, (_, i) => i)
const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

export const gelu: Text = ({ x = new Float64Array() }) => x.map(plainGelu)

export const geluTanh: Text = ({ x = new Float64Array() }) => x.map(plainGeluTanh)

export const swish =
  (alpha: number): Text =>
  ({ x = new Float64Array() }) =>
    x.map(plainSwish(alpha))

export const maskedLayerNorm =
  (epsilon: number, kept: ReadonlyArray<boolean>): Text =>
  (inputs) => {
    const [x, gamma, beta] = [at(inputs, "x"), at(inputs, "gamma"), at(inputs, "beta")]
    const width = kept.length
    const units = range(width).filter((j) => kept[j])
    return fill(x.length, (i) => {
      const j = i % width
      if (kept[j] !== true) return 0
      const row = units.map((unit) => get(x, i - j + unit))
      const mean = sum(row) / units.length
      const variance = sum(row.map((v) => (v - mean) ** 2)) / units.length
      return ((get(x, i) - mean) / Math.sqrt(variance + epsilon)) * get(gamma, j) + get(beta, j)
    })
  }

export const layerNorm = (epsilon: number, width: number): Text =>
  maskedLayerNorm(
    epsilon,
    range(width).map(() => true)
  )

export const linear =
  (rows: number, from: number, to: number): Text =>
  (inputs) =>
    fill(rows * to, (i) => {
      const [row, unit] = [Math.floor(i / to), i % to]
      const products = range(from).map(
        (k) => get(at(inputs, "x"), row * from + k) * get(at(inputs, "weight"), unit * from + k)
      )
      return sum(products) + get(at(inputs, "bias"), unit)
    })

export const scaledProduct =
  (batch: number, m: number, k: number, n: number, alpha: number): Text =>
  (inputs) =>
    fill(batch * m * n, (i) => {
      const [one, row, column] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n]
      const a = (u: number) => get(at(inputs, "a"), (one * m + row) * k + u)
      const b = (u: number) => get(at(inputs, "b"), (one * n + column) * k + u)
      return alpha * sum(range(k).map((u) => a(u) * b(u)))
    })

const probabilities = (logits: Numbers, row: number, classes: number): ReadonlyArray<number> => {
  const powers = range(classes).map((c) => Math.exp(get(logits, row * classes + c)))
  return powers.map((p) => p / sum(powers))
}

export const crossEntropy =
  (rows: number, classes: number): Text =>
  (inputs) =>
    fill(
      rows,
      (row) => -Math.log(get(probabilities(at(inputs, "logits"), row, classes), get(at(inputs, "labels"), row)))
    )

export const klDivergence =
  (rows: number, classes: number): Text =>
  (inputs) =>
    fill(rows, (row) => {
      const student = probabilities(at(inputs, "student"), row, classes)
      return sum(probabilities(at(inputs, "teacher"), row, classes).map((p, c) => p * Math.log(p / get(student, c))))
    })

export const attend =
  (batch: number, from: number, to: number, width: number): Text =>
  (inputs) =>
    fill(batch * from * width, (i) => {
      const row = Math.floor(i / width)
      const weights = probabilities(at(inputs, "scores"), row, to)
      const first = Math.floor(row / from) * to
      return sum(weights.map((p, k) => p * get(at(inputs, "values"), (first + k) * width + (i % width))))
    })

export const squaredError: Text = (inputs) =>
  Float64Array.of(sum(Array.from(at(inputs, "x"), (v, i) => (v - get(at(inputs, "target"), i)) ** 2)))

/** Sums over rows and both lengths of `f` of each place in [rows, heads, length, length]. */
const byHead = (count: number, heads: number, area: number, f: (i: number, head: number) => number): Float64Array => {
  const sums = new Float64Array(heads)
  for (let i = 0; i < count; i++) {
    const head = Math.floor(i / area) % heads
    sums[head] = get(sums, head) + f(i, head)
  }
  return sums
}

export const sumByHead =
  (heads: number, area: number): Text =>
  ({ x = new Float64Array() }) =>
    byHead(x.length, heads, area, (i) => get(x, i))

/** Where the target is one number for each head, or one for each place. */
export const squaredErrorByHead =
  (heads: number, area: number): Text =>
  (inputs) => {
    const [x, target] = [at(inputs, "x"), at(inputs, "target")]
    const whole = target.length === x.length
    return byHead(x.length, heads, area, (i, head) => (get(x, i) - get(target, whole ? i : head)) ** 2)
  }

/** What decides dropout's entries, row by row, in whole numbers: (aᵢ bⱼ + cᵢ + dⱼ) mod 4093. */
export const remainders = (byRow: Numbers, byColumn: Numbers): ReadonlyArray<number> => {
  const columns = byColumn.length / 2
  return Array.from({ length: (byRow.length / 2) * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    const mixed =
      get(byRow, 2 * row) * get(byColumn, column) + get(byRow, 2 * row + 1) + get(byColumn, columns + column)
    return mixed % ops.dropoutModulus
  })
}

/** Which entries stay; for draws without a remainder of 4092, which float32 cannot always tell from -1. */
export const dropout =
  (rate: number): Text =>
  (inputs) => {
    const rest = remainders(at(inputs, "rows"), at(inputs, "columns"))
    return at(inputs, "x").map((v, i) => (get(rest, i) >= rate * ops.dropoutModulus ? v / (1 - rate) : 0))
  }
