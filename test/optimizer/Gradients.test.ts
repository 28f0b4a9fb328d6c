import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, Tensor, transfer } from "homodistil/backend"
import { adamW, Gradients, TrainStep } from "homodistil/optimizer"
import { Seed } from "homodistil/spec"
import { engines, on, regression } from "./steps.ts"

const optimizer = adamW()
const params = { w: Tensor.float(2, 3), b: Tensor.float(2) }
const numbers = (seed: Seed.Seed, name: string, ...shape: ReadonlyArray<number>) =>
  Tensor.host(
    Seed.normals(
      Seed.child(seed, name),
      shape.reduce((a, b) => a * b, 1)
    ),
    shape
  )

/** The state after steps on so many rows, each compiled for its own rows; the numbers live on the device before any state is there. */
const trained = (n: number, rows: ReadonlyArray<number>, shared: boolean) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const seed = Seed.make(n)
      const gradients = shared ? { gradients: yield* Gradients.make({ params, optimizer }) } : {}
      const steps = new Map<number, Effect.Success<ReturnType<typeof compiled>>>()
      const compiled = (count: number) =>
        TrainStep.compile({
          name: "regression",
          params,
          inputs: { x: Tensor.float(count, 3), y: Tensor.float(count, 2) },
          loss: regression,
          optimizer,
          ...gradients
        })
      for (const count of new Set(rows)) steps.set(count, yield* compiled(count))
      const { tensors } = yield* backend.live
      const [first] = steps.values()
      if (first === undefined) return yield* Effect.die("no step")
      let state = yield* first.enter(
        TrainStep.start({ w: numbers(seed, "w", 2, 3), b: numbers(seed, "b", 2) }, optimizer)
      )
      for (const [t, count] of rows.entries()) {
        const at = Seed.child(seed, "step", t)
        const inputs = yield* transfer.upload(backend, { x: numbers(at, "x", count, 3), y: numbers(at, "y", count, 2) })
        const step = steps.get(count) ?? first
        state = (yield* step.run(state, inputs, { step: t, learningRate: 0.1 })).state
        yield* transfer.release(backend, inputs)
      }
      const left = yield* first.leave(state)
      yield* transfer.release(backend, state)
      return { left, tensors }
    })
  )

describe("Gradients", () => {
  it.each(["onnx", "cpu"] as const)(
    "may be shared by steps of other shapes: the same bits, in one place (%s)",
    (engine) =>
      fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.array(fc.constantFrom(1, 4, 7), { minLength: 2, maxLength: 6 }),
          async (n, rows) => {
            const one = await on(engines[engine], trained(n, rows, true))
            const own = await on(engines[engine], trained(n, rows, false))
            assert.deepStrictEqual(one.left, own.left)
            const shapes = new Set(rows).size
            assert.isTrue(shapes === 1 ? one.tensors === own.tensors : one.tensors < own.tensors)
          }
        ),
        { numRuns: 6 }
      )
  )
})
