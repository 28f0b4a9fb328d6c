import type { HostTensor } from "../backend/index.ts"
import type { StepState } from "../distill/index.ts"
import type { ParameterValues } from "../model/index.ts"

/** What a tensor of a state belongs to. */
export type Kind = keyof StepState.StepState["train"]

/**
 * The tensors of a state as one record. `nameOf` names each by its kind, its slot where it has one, and its parameter.
 *
 * @example
 * ```ts
 * import { StateTensors } from "homodistil/experiment"
 * import { Tensor } from "homodistil/backend"
 * const w = Tensor.host([1])
 * const train = { params: { w }, moments: { mean: { w } }, slots: {} }
 * assert.deepEqual(Object.keys(StateTensors.flat(train, (...path) => path.join("/"))), ["params/w", "moments/mean/w"])
 * ```
 */
export const flat = (
  { params, moments, slots }: StepState.StepState["train"],
  nameOf: (kind: Kind, ...path: ReadonlyArray<string>) => string
): ParameterValues => {
  const under = (values: ParameterValues, kind: Kind, ...slot: ReadonlyArray<string>) =>
    Object.entries(values).map(([name, value]): [string, HostTensor] => [nameOf(kind, ...slot, name), value])
  return Object.fromEntries([
    ...under(params, "params"),
    ...Object.entries(moments).flatMap(([slot, values]) => under(values, "moments", slot)),
    ...Object.entries(slots).flatMap(([slot, values]) => under(values, "slots", slot))
  ])
}
