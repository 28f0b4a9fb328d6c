import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DistillPlan, Distiller, Method, type StepState } from "homodistil/distill"
import { CellCheckpoint } from "homodistil/experiment"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { materials } from "./toy.ts"

const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
const start = Distiller.start({ plan, teacher: materials.teacher, seed: Seed.make(0) })

/** Numbers of every kind in every tensor, NaN and negative zero included. */
const strange = (seed: number) => (values: Record<string, { readonly data: ArrayLike<number> }>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      {
        ...value,
        dtype: "float32" as const,
        shape: [value.data.length],
        data: Float32Array.from(value.data, (_, i) => [Math.sin(i * seed), 0, -0, 1e-42, Number.NaN, -3e38][i % 6] ?? 0)
      }
    ])
  )

// a curve is told in JSON, which has no negative zero, in a checkpoint as in a result
const discrepancy = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

const points = fc.array(fc.record({ step: fc.nat(), discrepancy, parameters: fc.nat() }), { maxLength: 3 })

/** A checkpoint, compared by the bits of its numbers. */
const bits = ({ state, ...seen }: CellCheckpoint.CellCheckpoint) => {
  const { train, kept, ...rest } = state
  const tensors = (values: StepState.StepState["train"]["params"]) =>
    Object.entries(values)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { shape, data }]) => [name, shape, new Uint8Array(data.slice().buffer)])
  const bySlot = (slots: StepState.StepState["train"]["slots"]) =>
    Object.entries(slots)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([slot, inner]) => [slot, tensors(inner)])
  const { params, moments, slots } = train
  return {
    rest,
    seen,
    kept: PrunePlan.toJson(kept),
    params: tensors(params),
    moments: bySlot(moments),
    slots: bySlot(slots)
  }
}

describe("CellCheckpoint", () => {
  it("comes back from its bytes to the bit", () =>
    fc.assert(
      fc.asyncProperty(points, fc.nat({ max: 9 }), fc.boolean(), fc.nat(), async (curve, step, masked, resumed) => {
        const { params, moments, slots } = start.train
        const each = strange(step + 1)
        const state: StepState.StepState = {
          ...start,
          step,
          masked,
          kept: PrunePlan.of({ hidden: [0, 2, 5] }),
          train: {
            params: each(params),
            moments: Object.fromEntries(Object.entries(moments).map(([slot, inner]) => [slot, each(inner)])),
            slots: Object.fromEntries(Object.entries(slots).map(([slot, inner]) => [slot, each(inner)]))
          }
        }
        const checkpoint = {
          state,
          curve,
          path: [{ step: 0, widths: { hidden: 8 }, parameters: 9 }],
          trajectory: [{ step: 1, parameters: 3, measures: { a: 0.5 } }],
          measures: { loss: 0.1 * step },
          spent: 1.5,
          measuring: 0.25,
          resumed
        }
        const bytes = CellCheckpoint.encode(checkpoint)
        assert.deepStrictEqual(bits(await Effect.runPromise(CellCheckpoint.decode(bytes))), bits(checkpoint))
        assert.deepStrictEqual(CellCheckpoint.encode(checkpoint), bytes)
      }),
      { numRuns: 20 }
    ))

  it("refuses bytes that are none", async () => {
    const bytes = CellCheckpoint.encode({
      state: start,
      curve: [],
      path: [],
      trajectory: [],
      measures: {},
      spent: 0,
      measuring: 0,
      resumed: 0
    })
    for (const wrong of [new Uint8Array(0), bytes.subarray(0, 100), bytes.subarray(0, bytes.length - 1)])
      assert.strictEqual((await Effect.runPromise(Effect.flip(CellCheckpoint.decode(wrong))))._tag, "CheckpointError")
  })
})
