import type * as Schema from "effect/Schema"
import type { tf } from "../backend/index.ts"
import { ConfigError, type JsonObject, Options, Spec } from "../spec/index.ts"
import type { ImportanceScorer, ScoreInput, UpdateInput } from "./ImportanceScorer.ts"

/** Tensors under known names. */
export type TensorsBy<Name extends string> = { readonly [N in Name]: tf.Tensor }

/** What a scorer is made of; its options come last in each function. */
export interface Definition<Slot extends string, Scalar extends string, O> {
  readonly name: string
  /** Raised when the scores change, so that old results are not mistaken for new ones; 1 unless given. */
  readonly version?: number
  /** What is remembered of a parameter, each shaped like it and zero at first; nothing unless given. */
  readonly slots?: ReadonlyArray<Slot>
  /** Whether every weight is treated alone, which lets the step work on one long vector; false unless given. */
  readonly elementwise?: boolean
  /** Whether the slots hold the last step alone. */
  readonly momentary?: boolean
  /** Host numbers of a step (counted from 0). */
  readonly scalars?: (step: number, options: O) => { readonly [N in Scalar]: number }
  /** The slots after a step; traced, so it is made of tensor operations alone. */
  readonly update?: (
    slots: TensorsBy<Slot>,
    input: Omit<UpdateInput, "scalars"> & { readonly scalars: TensorsBy<Scalar> },
    options: O
  ) => TensorsBy<Slot>
  /** Non-negative scores shaped like the parameter. */
  readonly score: (slots: TensorsBy<Slot>, input: ScoreInput, options: O) => tf.Tensor
}

/** A kind of scorer: `make` checks its options. */
export interface ScorerKind<Given> {
  readonly make: (...options: {} extends Given ? [options?: Given] : [options: Given]) => ImportanceScorer
}

type Tensors = { readonly [name: string]: tf.Tensor }

const has = <Name extends string>(names: ReadonlyArray<Name>, tensors: Tensors): tensors is Tensors & TensorsBy<Name> =>
  names.every((name) => tensors[name] !== undefined)

/** The tensors under the names that are needed; a defect when one is missing. */
export const need = <Name extends string>(names: ReadonlyArray<Name>, tensors: Tensors): TensorsBy<Name> => {
  if (!has(names, tensors))
    throw new RangeError(`a scorer needs ${names.join(", ")}; there are ${Object.keys(tensors).join(", ")}`)
  return tensors
}

const build = <Slot extends string, Scalar extends string, O>(
  d: Definition<Slot, Scalar, O>,
  options: O,
  shown: JsonObject
): ImportanceScorer => {
  const slots = d.slots ?? []
  const wrong = slots.filter((slot) => !/^\w+$/.test(slot))
  if (wrong.length > 0)
    throw new ConfigError({
      problems: wrong.map((slot) => ({
        key: `${d.name}.slots`,
        value: slot,
        bound: "a word of letters, digits and _",
        remedy: "dots are for the slots of scorers inside others"
      }))
    })
  const given: (step: number) => { readonly [name: string]: number } = (step) => d.scalars?.(step, options) ?? {}
  const names = d.scalars === undefined ? [] : keysOf(d.scalars(0, options))
  return {
    spec: Spec.make(d.name, { version: d.version ?? 1, options: shown }),
    slots,
    elementwise: d.elementwise ?? false,
    momentary: d.momentary ?? false,
    scalars: given,
    update: (held, { param, grad, scalars }) =>
      d.update?.(need(slots, held), { param, grad, scalars: need(names, scalars) }, options) ?? held,
    score: (held, input) => d.score(need(slots, held), input, options)
  }
}

const keysOf = <Key extends string>(record: { readonly [K in Key]: unknown }): ReadonlyArray<Key> => {
  const isKey = (key: string): key is Key => key in record
  return Object.keys(record).filter(isKey)
}

/**
 * A scorer from its name, its memory and two functions over one parameter: all that a new scorer takes, in a file of its own.
 *
 * Without `options` the result is the scorer; with a schema of options, `make` checks them (`ConfigError`) and gives the scorer.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { tf } from "homodistil/backend"
 * import * as Scorer from "homodistil/importance"
 * const PowerNorm = Scorer.define({
 *   name: "powerNorm",
 *   options: Schema.Struct({ power: Schema.Finite.check(Schema.isGreaterThan(0)) }),
 *   score: (_, { param }, { power }) => tf.pow(tf.abs(param), power)
 * })
 * assert.deepEqual(PowerNorm.make({ power: 2 }).spec.options, { power: 2 })
 * assert.throws(() => PowerNorm.make({ power: -1 }), /powerNorm\.power = -1/)
 * ```
 */
export function define<
  S extends Schema.ConstraintDecoder<JsonObject>,
  Slot extends string = never,
  Scalar extends string = never
>(definition: Definition<Slot, Scalar, S["Type"]> & { readonly options: S }): ScorerKind<S["Encoded"]>
export function define<Slot extends string = never, Scalar extends string = never>(
  definition: Definition<Slot, Scalar, undefined> & { readonly options?: undefined }
): ImportanceScorer
export function define<S extends Schema.ConstraintDecoder<JsonObject>, Slot extends string, Scalar extends string>(
  definition: (Definition<Slot, Scalar, S["Type"]> & { readonly options: S }) | Definition<Slot, Scalar, undefined>
): ScorerKind<S["Encoded"]> | ImportanceScorer {
  if (!takesOptions(definition)) return build(definition, undefined, {})
  const { name, options } = definition
  return {
    make: (...[given]) => {
      const decoded: S["Type"] = Options.decode(name, options, given ?? {})
      return build(definition, decoded, decoded)
    }
  }
}

const takesOptions = <With extends { readonly options: unknown }>(
  definition: With | { readonly name: string }
): definition is With => "options" in definition && definition.options !== undefined
