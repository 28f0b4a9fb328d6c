import type { Training } from "../distill/index.ts"
import { ConfigError, type JsonObject, Spec } from "../spec/index.ts"

/** How large an experiment is run: what a laptop can do, or a smoke test. */
export interface Scale {
  readonly name: string
  readonly spec: Spec.Spec
  /** What it changes of a method's training options. */
  readonly training: Training.TrainingOptions
  /** Seeds of an experiment, unless asked for otherwise. */
  readonly seeds: number
  /** Points of the discrepancy curve besides the start. */
  readonly points: number
  /** Rows of the fixed validation batch the curve is measured on. */
  readonly curveRows: number
  /** Test rows that the final held-out measures are taken on, in batches of `testBatch`. */
  readonly testRows: number
  readonly testBatch: number
  /** Whether downstream tasks are measured with few examples and steps. */
  readonly small: boolean
}

/**
 * A scale of one's own. Its name and its number of seeds shape no cell, so they are not in its spec.
 *
 * @example
 * ```ts
 * import { Scale } from "homodistil/experiment"
 * const { name, seeds, spec, ...rest } = Scale.micro
 * assert.deepEqual(Scale.make({ ...rest, name: "mine", seeds: 10 }).spec, spec)
 * ```
 */
export const make = (scale: Omit<Scale, "spec">): Scale => {
  const { name: _name, seeds: _seeds, ...rest } = scale
  const options: JsonObject = { ...rest, training: { ...rest.training } }
  return { ...scale, spec: Spec.make("scale", { options }) }
}

/** A minute: every part runs, no number means anything. */
export const smoke: Scale = make({
  name: "smoke",
  training: { steps: 40, pruneEvery: 10 },
  seeds: 2,
  points: 4,
  curveRows: 32,
  testRows: 128,
  testBatch: 64,
  small: true
})

/** What the README shows: 400 steps, three seeds, minutes on two cores. */
export const micro: Scale = make({
  name: "micro",
  training: {},
  seeds: 3,
  points: 20,
  curveRows: 64,
  testRows: 1024,
  testBatch: 128,
  small: false
})

/** The scales by name. */
export const all: ReadonlyArray<Scale> = [smoke, micro]

/**
 * The scale of a name, or the `ConfigError` that lists those there are.
 *
 * @example
 * ```ts
 * import { Scale } from "homodistil/experiment"
 * const found = Scale.named("micro")
 * assert.ok(!("_tag" in found) && found.seeds === 3)
 * ```
 */
export const named = (name: string): Scale | ConfigError =>
  all.find((scale) => scale.name === name) ??
  new ConfigError({
    problems: [
      { key: "scale", value: name, bound: `one of ${all.map((s) => s.name).join(", ")}`, remedy: "use --scale micro" }
    ]
  })
