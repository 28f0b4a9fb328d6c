import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { ExecutionError, tf } from "homodistil/backend"
import { kernels } from "../../../src/backend/onnx/registry.ts"
import { elementwise } from "../../../src/backend/onnx/rules/elementwise.ts"
import { products } from "../../../src/backend/onnx/rules/products.ts"
import { reductions } from "../../../src/backend/onnx/rules/reductions.ts"
import { shapes } from "../../../src/backend/onnx/rules/shapes.ts"
import { agree, engines, evaluateWith, on, withGradients } from "../engines.ts"
import { type Call, kernelCalls } from "../kernels.ts"

const rules = { ...elementwise, ...shapes, ...reductions, ...products }
const lacked = /has no kernel (\w+)/

/** The kernels that are called when a call runs eagerly on the plain backend. */
const called = async ({ inputs, text }: Call): Promise<ReadonlyArray<string>> => {
  await tf.setBackend("cpu")
  const given = Object.entries(inputs).map(([name, t]) => [name, tf.tensor(t.data, [...t.shape], t.dtype)] as const)
  const profile = await tf.profile(() => text(Object.fromEntries(given)))
  return profile.kernelNames
}

describe("the table of kernels", () => {
  it("has a case for every rule, and no other", () => {
    assert.deepStrictEqual(Object.keys(kernelCalls).toSorted(), Object.keys(rules).toSorted())
    assert.includeMembers([...kernels], Object.keys(rules))
  })

  it.each(Object.entries(kernelCalls))("calls %s by its case", async (name, calls) => {
    const [call] = fc.sample(calls, { numRuns: 1, seed: 1 })
    assert.isDefined(call)
    assert.include(await called(call), name)
  })
})

describe.each(Object.entries(kernelCalls))("%s", (_, calls) => {
  it("gives what the eager backends give, forward and backward", () =>
    fc.assert(
      fc.asyncProperty(calls, async ({ inputs, text, by }) => {
        const both = evaluateWith(inputs, withGradients(text, by))
        const eager = await on(engines.cpu, both)
        agree(await on(engines.onnx, both), eager, 1e-5)
        const wasm = await on(engines.wasm, Effect.result(both))
        if (wasm._tag === "Success") return agree(wasm.success, eager, 1e-5)
        assert.instanceOf(wasm.failure, ExecutionError)
        const missing = lacked.exec(wasm.failure.reason)?.[1] ?? assert.fail(wasm.failure.reason)
        assert.isUndefined(tf.getKernel(missing, "wasm"))
      }),
      { numRuns: 5 }
    ))
})
