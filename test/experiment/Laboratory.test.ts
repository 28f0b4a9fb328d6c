import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backend } from "homodistil/backend"
import { HeldOut } from "homodistil/evaluate"
import { Laboratory } from "homodistil/experiment"
import { materials, run, scale } from "./toy.ts"

describe("Laboratory", () => {
  it("has the teacher's answers on validation and test batches, and takes them with it", async () => {
    const { rows, discrepancy, during, before, after } = await run(
      Effect.gen(function* () {
        const backend = yield* Backend
        const before = yield* backend.live
        const inside = yield* Effect.scoped(
          Effect.gen(function* () {
            const { curve, test } = yield* Laboratory.make({ ...materials, scale })
            const { discrepancy } = yield* HeldOut.measure(materials.teacher, test)
            const rows = [curve, test].map(({ batches }) => batches.map((batch) => batch.rows))
            return { rows, discrepancy, during: yield* backend.live }
          })
        )
        return { ...inside, before, after: yield* backend.live }
      })
    )
    assert.deepStrictEqual(rows, [[4], [4, 4]])
    assert.isBelow(discrepancy, 1e-6)
    assert.deepStrictEqual(during, { tensors: before.tensors + 3, sessions: before.sessions })
    assert.deepStrictEqual(after, before)
  })
})
