import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as Effect from "effect/Effect"
import { Backend, evaluateAll, OnnxBackend, Tensor } from "homodistil/backend"
import { clipByGlobalNorm } from "homodistil/optimizer"

const values = fc.array(
  fc.integer({ min: -640, max: 640 }).map((n) => n / 64),
  { minLength: 1, maxLength: 5 }
)
const gradients = fc.array(values, { minLength: 1, maxLength: 4 })
const limits = fc.constantFrom(0.01, 1, 5, 1000)

const clip = async (lists: ReadonlyArray<ReadonlyArray<number>>, limit: number): Promise<ReadonlyArray<number>> => {
  const inputs = Object.fromEntries(lists.map((list, i) => [`g${i}`, Tensor.host(list)]))
  const made = await Effect.runPromise(
    evaluateAll(inputs, (x) =>
      Object.fromEntries(
        clipByGlobalNorm(
          lists.flatMap((_, i) => x[`g${i}`] ?? []),
          limit
        ).map((g, i) => [String(i), g])
      )
    )
  )
  return lists.flatMap((_, i) => Array.from(made[String(i)]?.data ?? []))
}
const norm = (values: ReadonlyArray<number>): number => Math.hypot(...values)

describe("clipping by the global norm", () => {
  it("scales all gradients by one factor, so that their norm is at most the limit", () =>
    fc.assert(
      fc.asyncProperty(gradients, limits, async (lists, limit) => {
        const [flat, clipped] = [lists.flat(), await clip(lists, limit)]
        const factor = Math.min(1, limit / (norm(flat) + 1e-6))
        clipped.forEach((g, i) => assert.closeTo(g, factor * (flat[i] ?? Number.NaN), 1e-6 * (1 + Math.abs(g))))
        assert.isAtMost(norm(clipped), limit * (1 + 1e-5))
      })
    ))

  it("changes nothing below the limit, to the last bit", () =>
    fc.assert(
      fc.asyncProperty(gradients, async (lists) => {
        assert.deepStrictEqual(await clip(lists, norm(lists.flat()) * 1.001 + 1e-3), lists.flat())
      })
    ))

  it("takes no gradients, and gradients that are all zero", async () => {
    assert.deepStrictEqual(clipByGlobalNorm([], 1), [])
    assert.deepStrictEqual(await clip([[0, 0]], 1), [0, 0])
  })

  it.effect("keeps six digits of the norm of a million gradients in one tensor", () =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const g = Float32Array.from({ length: 2 ** 20 + 77 }, (_, i) => ((i * 7919) % 1009) / 1009)
      let squares = 0
      for (const x of g) squares += x * x
      const text = yield* backend.compile("clip", { g: Tensor.float(g.length) }, (x) => ({
        clipped: clipByGlobalNorm([x.g], 1)[0] ?? x.g
      }))
      const out = yield* text.run({ g: yield* backend.upload(Tensor.host(g)) })
      const { data } = yield* backend.download(out.clipped)
      const last = g.length - 1
      assert.closeTo((data[last] ?? 0) / (g[last] ?? 0), 1 / Math.sqrt(squares), 1e-6 / Math.sqrt(squares))
    }).pipe(Effect.scoped, Effect.provide(OnnxBackend.layer()))
  )
})
