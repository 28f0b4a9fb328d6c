import type { TextMetric } from "../data/index.ts"

/** A metric of predictions against labels, both [n]: numbers of classes, or scores. NaN of none. */
export type LabelMetric = (predicted: ArrayLike<number>, labels: ArrayLike<number>) => number

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)

/**
 * The share of labels predicted right, in [0, 1].
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.equal(LabelMetric.accuracy([0, 1, 1, 2], [0, 1, 2, 2]), 0.75)
 * ```
 */
export const accuracy: LabelMetric = (predicted, labels) => {
  let right = 0
  for (let i = 0; i < labels.length; i++) if (predicted[i] === labels[i]) right++
  return right / labels.length
}

/**
 * The harmonic mean of precision and recall of class 1; 0 where class 1 is neither predicted nor there, as in scikit-learn.
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.equal(LabelMetric.f1([1, 1, 0, 0], [1, 0, 1, 0]), 0.5)
 * assert.equal(LabelMetric.f1([0, 0], [0, 0]), 0)
 * ```
 */
export const f1: LabelMetric = (predicted, labels) => {
  if (labels.length === 0) return Number.NaN
  let [both, all] = [0, 0]
  for (let i = 0; i < labels.length; i++) {
    const [said, is] = [predicted[i] === 1, labels[i] === 1]
    if (said && is) both++
    all += Number(said) + Number(is)
  }
  return all === 0 ? 0 : (2 * both) / all
}

/**
 * Matthews' correlation of classes, two or more (Gorodkin 2004), in [-1, 1]; 0 where all labels or all predictions are one class, as in
 * scikit-learn.
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.equal(LabelMetric.matthews([0, 1, 0, 1], [0, 1, 0, 1]), 1)
 * assert.equal(LabelMetric.matthews([1, 1, 1], [0, 1, 0]), 0)
 * ```
 */
export const matthews: LabelMetric = (predicted, labels) => {
  const n = labels.length
  if (n === 0) return Number.NaN
  const counts = (values: ArrayLike<number>): ReadonlyMap<number, number> => {
    const found = new Map<number, number>()
    for (let i = 0; i < n; i++) found.set(values[i] ?? 0, (found.get(values[i] ?? 0) ?? 0) + 1)
    return found
  }
  const [said, is] = [counts(predicted), counts(labels)]
  const squares = (of: ReadonlyMap<number, number>) => [...of.values()].reduce((total, count) => total + count ** 2, 0)
  const chance = [...is].reduce((total, [name, count]) => total + count * (said.get(name) ?? 0), 0)
  const spread = (n ** 2 - squares(said)) * (n ** 2 - squares(is))
  return spread === 0 ? 0 : (n * n * accuracy(predicted, labels) - chance) / Math.sqrt(spread)
}

const centred = (values: ArrayLike<number>): Float64Array => {
  const mean = sum(Float64Array.from(values)) / values.length
  return Float64Array.from(values, (value) => value - mean)
}

const isConstant = (values: ArrayLike<number>): boolean => Array.from(values).every((value) => value === values[0])

/**
 * Pearson's correlation, in [-1, 1]; 0 where all labels or all predictions are alike, where SciPy has none.
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.equal(LabelMetric.pearson([1, 2, 3], [2, 4, 6]).toFixed(6), "1.000000")
 * assert.equal(LabelMetric.pearson([2, 2, 2], [2, 4, 6]), 0)
 * ```
 */
export const pearson: LabelMetric = (predicted, labels) => {
  if (labels.length === 0) return Number.NaN
  if (isConstant(predicted) || isConstant(labels)) return 0
  const [x, y] = [centred(predicted), centred(labels)]
  const product = sum(x.map((value, i) => value * (y[i] ?? 0)))
  const norms = Math.sqrt(sum(x.map((value) => value ** 2))) * Math.sqrt(sum(y.map((value) => value ** 2)))
  return Math.max(-1, Math.min(1, product / norms))
}

/**
 * The ranks of numbers, from 1; those that are alike share the mean of theirs.
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.deepEqual([...LabelMetric.ranks([3, 1, 3])], [2.5, 1, 2.5])
 * ```
 */
export const ranks = (values: ArrayLike<number>): Float64Array => {
  const at = (i: number): number => values[i] ?? Number.NaN
  const order = Array.from(values, (_, i) => i).toSorted((a, b) => at(a) - at(b))
  const ranked = new Float64Array(values.length)
  for (let from = 0; from < order.length;) {
    let to = from + 1
    while (to < order.length && at(order[to] ?? 0) === at(order[from] ?? 0)) to++
    for (let i = from; i < to; i++) ranked[order[i] ?? 0] = (from + 1 + to) / 2
    from = to
  }
  return ranked
}

/**
 * Spearman's correlation: Pearson's of the ranks.
 *
 * @example
 * ```ts
 * import { LabelMetric } from "homodistil/evaluate"
 * assert.equal(LabelMetric.spearman([1, 2, 3, 4], [1, 10, 100, 1000]).toFixed(6), "1.000000")
 * ```
 */
export const spearman: LabelMetric = (predicted, labels) => pearson(ranks(predicted), ranks(labels))

/** The metrics by their names. */
export const byName: { readonly [name in TextMetric]: LabelMetric } = { accuracy, f1, matthews, pearson, spearman }
