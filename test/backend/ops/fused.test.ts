import { assert, describe, it } from "@effect/vitest"
import { Tensor, tf } from "homodistil/backend"
import "../../../src/backend/onnx/registry.ts"
import { input, node } from "../../../src/backend/onnx/Rule.ts"
import { record, tracing } from "../../../src/backend/onnx/TracingBackend.ts"
import { first, registerGradient, run, upstream } from "../../../src/backend/ops/fused.ts"

const scalars = ["a", "b"].map((path) => ({ path, spec: Tensor.float() }))

/** The operators recorded for the gradients of a kernel of two inputs. */
const gradientsOf = (kernel: string): ReadonlyMap<string, number> => {
  tf.registerKernel({
    kernelName: kernel,
    backendName: tracing,
    kernelFunc: ({ inputs }) => node("Max", [input(inputs, "a"), input(inputs, "b")], [], "float32")
  })
  try {
    const recorded = record(
      scalars,
      (tensors) => tf.grads((a, b) => first(run(kernel, { a, b })))([...tensors.values()]),
      (made) => made.map((tensor, i) => [String(i), tensor])
    )
    assert.lengthOf(recorded.outputs, 2)
    return recorded.graph.census()
  } finally {
    tf.unregisterKernel(kernel, tracing)
    tf.unregisterGradient(kernel)
  }
}

describe("kernels of one's own", () => {
  it("are run by name, and give a list of tensors", () => {
    tf.tidy(() => {
      assert.deepStrictEqual([...first(run("Neg", { x: tf.tensor([1, 2]) })).dataSync()], [-1, -2])
      assert.lengthOf(run("Unpack", { value: tf.tensor([1, 2]) }, { axis: 0 }), 2)
      assert.throws(() => first([]), /made no tensor/)
      const dy = tf.scalar(1)
      assert.deepStrictEqual([upstream(dy), upstream([dy])], [dy, dy])
    })
  })

  it("are differentiated by their own rule, which runs once for all inputs", () => {
    let runs = 0
    registerGradient("Twofold", ["a", "b"], [], (dy, [, b]) => {
      runs++
      return b === undefined ? [] : [tf.tanh(dy), tf.exp(b)]
    })
    const census = gradientsOf("Twofold")
    assert.deepStrictEqual([census.get("Tanh"), census.get("Exp"), runs], [1, 1, 1])
  })

  it("whose rule gives too few gradients say for which input", () => {
    registerGradient("Short", ["a", "b"], [], (dy) => [dy])
    assert.throws(() => gradientsOf("Short"), /Short has no gradient for b/)
  })
})
