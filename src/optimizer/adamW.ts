import { tf } from "../backend/index.ts"
import { ConfigError, type ConfigProblem, Spec } from "../spec/index.ts"
import type { Optimizer, OptimizerInput } from "./Optimizer.ts"

/** The settings of AdamW. */
export interface AdamWOptions {
  /** β₁, decay of the mean gradient. */
  readonly beta1: number
  /** β₂, decay of the mean squared gradient. */
  readonly beta2: number
  readonly epsilon: number
  /** Share of a matrix that decays at each step, times the learning rate. */
  readonly weightDecay: number
  /** The norm the whole gradient is clipped to; `Infinity` leaves it alone. */
  readonly clipNorm: number
}

/** The micro setting: β₂ .98, decay .01, clipping at 1. */
export const adamWDefaults: AdamWOptions = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 }

const problems = (o: AdamWOptions): ReadonlyArray<ConfigProblem> => {
  const check = (
    key: keyof AdamWOptions,
    holds: boolean,
    bound: string,
    example: string
  ): ReadonlyArray<ConfigProblem> =>
    holds ? [] : [{ key, value: String(o[key]), bound, remedy: `use for example ${example}` }]
  return [
    ...check("beta1", o.beta1 >= 0 && o.beta1 < 1, "in [0, 1)", ".9"),
    ...check("beta2", o.beta2 >= 0 && o.beta2 < 1, "in [0, 1)", ".98"),
    ...check("epsilon", o.epsilon > 0, "positive", "1e-8"),
    ...check("weightDecay", o.weightDecay >= 0, "at least 0", ".01"),
    ...check("clipNorm", o.clipNorm > 0, "positive", "1")
  ]
}

/**
 * Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019), both moments corrected for their zero start.
 *
 * Throws `ConfigError` with every illegal setting at once.
 *
 * @example
 * ```ts
 * import { adamW } from "homodistil/optimizer"
 * assert.equal(adamW().scalars(0, 0.1).rate, 0.1 / (1 - 0.9))
 * assert.throws(() => adamW({ beta1: 1 }), /beta1 = 1/)
 * ```
 */
export const adamW = (options: Partial<AdamWOptions> = {}): Optimizer => {
  const o = { ...adamWDefaults, ...options }
  const wrong = problems(o)
  if (wrong.length > 0) throw new ConfigError({ problems: wrong })
  const { clipNorm, ...rest } = o
  const clip = Number.isFinite(clipNorm) ? clipNorm : undefined
  return {
    spec: Spec.make("adamW", { options: { ...rest, clipNorm: clip ?? null } }),
    slots: ["mean", "square"],
    scalars: (step, learningRate) => ({
      rate: learningRate / (1 - o.beta1 ** (step + 1)),
      root: 1 / Math.sqrt(1 - o.beta2 ** (step + 1)),
      keep: 1 - learningRate * o.weightDecay
    }),
    update: (input) => step(o, input),
    elementwise: true,
    clipNorm: clip
  }
}

const step = (o: AdamWOptions, { param, grad, moments, scalars, decays }: OptimizerInput) => {
  const { rate, root, keep } = scalars
  const [mean0, square0] = [moments["mean"], moments["square"]]
  if (rate === undefined || root === undefined || keep === undefined || mean0 === undefined || square0 === undefined)
    throw new RangeError("AdamW needs its scalars and moments")
  const mean = tf.add(tf.mul(mean0, o.beta1), tf.mul(grad, 1 - o.beta1))
  const square = tf.add(tf.mul(square0, o.beta2), tf.mul(tf.square(grad), 1 - o.beta2))
  const move = tf.div(tf.mul(mean, rate), tf.add(tf.mul(tf.sqrt(square), root), o.epsilon))
  return { param: tf.sub(decays ? tf.mul(param, keep) : param, move), moments: { mean, square } }
}
