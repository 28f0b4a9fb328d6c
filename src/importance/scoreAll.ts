import type * as Effect from "effect/Effect"
import { evaluateAll, type HostTensor } from "../backend/index.ts"
import type { ImportanceScorer } from "./ImportanceScorer.ts"

/** Tensors on the host by parameter name. */
export type ByParameter = { readonly [parameter: string]: HostTensor }

/**
 * The scores of parameters at a pruning event, computed on the host.
 *
 * `params` are the weights that are scored, `slots` the scorer's memory of them by slot and parameter, `noise` uniform numbers in
 * [0, 1) for a parameter, drawn only if the scorer asks. A slot that lacks a parameter is a defect.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Tensor } from "homodistil/backend"
 * import * as Scorer from "homodistil/importance"
 * const noise = () => Tensor.host([0, 0])
 * const scores = await Effect.runPromise(Scorer.scoreAll(Scorer.magnitude(), { w: Tensor.host([1, -2]) }, {}, noise))
 * assert.deepEqual([...(scores.w?.data ?? [])], [1, 2])
 * ```
 */
export const scoreAll = (
  scorer: ImportanceScorer,
  params: ByParameter,
  slots: { readonly [slot: string]: ByParameter },
  noise: (parameter: string) => HostTensor
): Effect.Effect<ByParameter> => {
  const names = Object.keys(params)
  return evaluateAll({ params, slots }, (x, tensorOf) =>
    Object.fromEntries(
      names.map((name) => {
        const held = scorer.slots.map((slot) => [slot, find(x.slots[slot]?.[name], `slot ${slot} of ${name}`)] as const)
        const param = find(x.params[name], name)
        return [name, scorer.score(Object.fromEntries(held), { param, noise: () => tensorOf(noise(name)) })]
      })
    )
  )
}

const find = <A>(value: A | undefined, what: string): A => {
  if (value === undefined) throw new RangeError(`there is no ${what}`)
  return value
}
