import { assert, describe, it } from "@effect/vitest"
import { tf } from "homodistil/backend"
import { kernels, rules } from "../../../src/backend/onnx/registry.ts"
import { tracing } from "../../../src/backend/onnx/TracingBackend.ts"

describe("the kernels of a compiled text", () => {
  it("are registered with tfjs, each once and sorted", () => {
    assert.deepStrictEqual([...kernels], Object.keys(rules).toSorted())
    const registered = tf.getKernelsForBackend(tracing).map((kernel) => kernel.kernelName)
    assert.deepStrictEqual(registered.toSorted(), [...kernels])
  })
})
