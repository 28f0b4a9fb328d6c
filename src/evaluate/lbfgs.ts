import * as Effect from "effect/Effect"

/** A function's value and gradient at a point. */
export interface Evaluation {
  readonly value: number
  readonly gradient: Float64Array
}

/** Where a minimisation ended. */
export interface Minimum {
  readonly at: Float64Array
  readonly value: number
  /** The largest entry of the gradient, in absolute value. */
  readonly slope: number
  readonly iterations: number
  /** Evaluations of the function. */
  readonly evaluations: number
}

/** When a minimisation ends. */
export interface MinimiseOptions {
  /** Iterations at most. */
  readonly iterations: number
  /** It ends as soon as no entry of the gradient is larger. */
  readonly tolerance: number
}

/** Pairs of steps and gradient changes that are remembered. */
const memory = 10

/** Share of the decrease promised by the slope that a step must bring (Armijo 1966). */
const sufficient = 1e-4

/** What counts as no increase: values come in single precision. */
const rounding = 1e-7

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** a + factor · b */
const along = (a: Float64Array, factor: number, b: Float64Array): Float64Array =>
  a.map((x, i) => x + factor * (b[i] ?? 0))

const largest = (a: Float64Array): number => a.reduce((most, x) => Math.max(most, Math.abs(x)), 0)

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  readonly curvature: number
}

/** The direction -H g, where H estimates the inverse Hessian from the pairs (Nocedal & Wright 2006, algorithm 7.4). */
const direction = (gradient: Float64Array, pairs: ReadonlyArray<Pair>): Float64Array => {
  const newest = pairs.at(-1)
  if (newest === undefined) return gradient.map((g) => -g / Math.max(1, Math.sqrt(dot(gradient, gradient))))
  let q: Float64Array = gradient
  const factors = pairs.toReversed().map((pair) => {
    const factor = dot(pair.step, q) / pair.curvature
    q = along(q, -factor, pair.change)
    return factor
  })
  const scale = newest.curvature / dot(newest.change, newest.change)
  let r: Float64Array = q.map((x) => scale * x)
  pairs.forEach((pair, i) => {
    r = along(r, (factors[pairs.length - 1 - i] ?? 0) - dot(pair.change, r) / pair.curvature, pair.step)
  })
  return r.map((x) => -x)
}

/**
 * The minimum of a smooth convex function by L-BFGS with a backtracking line search (Liu & Nocedal 1989).
 *
 * It ends when the gradient is within the tolerance, after the most iterations, when the value is no longer finite, or when no
 * shorter step lowers it: then single precision has nothing left to give.
 */
export const minimise = <E, R>(
  f: (at: Float64Array) => Effect.Effect<Evaluation, E, R>,
  start: Float64Array,
  options: MinimiseOptions
): Effect.Effect<Minimum, E, R> =>
  Effect.gen(function* () {
    let at = start
    let now = yield* f(at)
    let evaluations = 1
    let iterations = 0
    let pairs: ReadonlyArray<Pair> = []
    while (iterations < options.iterations && Number.isFinite(now.value) && largest(now.gradient) > options.tolerance) {
      const towards = direction(now.gradient, pairs)
      const slope = dot(towards, now.gradient)
      let length = 1
      let found: { readonly at: Float64Array; readonly evaluation: Evaluation } | undefined
      for (let attempt = 0; attempt < 20 && found === undefined; attempt++) {
        const place = along(at, length, towards)
        const evaluation = yield* f(place)
        evaluations++
        const allowed = now.value + sufficient * length * slope + rounding * Math.abs(now.value)
        if (evaluation.value <= allowed) found = { at: place, evaluation }
        else {
          // the minimum of the parabola through both values, not too near either end
          const parabola = (-slope * length * length) / (2 * (evaluation.value - now.value - length * slope))
          length = Math.min(0.5 * length, Math.max(0.1 * length, Number.isFinite(parabola) ? parabola : 0))
        }
      }
      if (found === undefined) break
      const step = along(found.at, -1, at)
      const change = along(found.evaluation.gradient, -1, now.gradient)
      const curvature = dot(step, change)
      if (curvature > 1e-12 * dot(change, change)) pairs = [...pairs.slice(1 - memory), { step, change, curvature }]
      at = found.at
      now = found.evaluation
      iterations++
    }
    return { at, value: now.value, slope: largest(now.gradient), iterations, evaluations }
  })
