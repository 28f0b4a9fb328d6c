import { assert, describe, it } from "@effect/vitest"
import { Tensor, tf, Tree } from "homodistil/backend"
import "../../../src/backend/onnx/registry.ts"
import { graph, isTracing, nameOf, record, TracingRefusal, tracing } from "../../../src/backend/onnx/TracingBackend.ts"

const x = [{ path: "x", spec: Tensor.float(2) }]
const recorded = (text: (x: tf.Tensor) => tf.Tensor) =>
  record(
    x,
    (tensors) => text(tensors.get("x") ?? tf.scalar(0)),
    (y) => [["y", y]]
  )

describe("recording", () => {
  it("runs the text once, on tensors without values, and gives back its graph and ports", () => {
    let runs = 0
    const { graph, inputs, outputs } = recorded((x) => {
      runs++
      assert.isTrue(isTracing())
      return tf.add(tf.neg(x), x)
    })
    assert.strictEqual(runs, 1)
    assert.deepStrictEqual([...graph.census().keys()], ["Add", "Neg"])
    assert.deepStrictEqual(
      inputs.map((port) => port.name),
      ["in:x"]
    )
    assert.deepStrictEqual(
      outputs.map(({ name, spec }) => [name, spec]),
      [["out:y", Tensor.float(2)]]
    )
  })

  it("ends: afterwards tfjs computes as before and nothing can be added", async () => {
    await tf.setBackend("cpu")
    const { result } = recorded((x) => tf.neg(x))
    assert.isFalse(isTracing())
    assert.strictEqual(tf.getBackend(), "cpu")
    assert.isTrue(Tree.isTensor(result))
    assert.throws(graph, /finished recording/)
    assert.throws(() => nameOf(result), TracingRefusal)
    assert.throws(
      () =>
        recorded(() => {
          throw new RangeError("stop")
        }),
      /stop/
    )
    assert.isFalse(isTracing())
    assert.strictEqual(tf.getBackend(), "cpu")
  })

  it("is never what tfjs chooses by itself", () => assert.isFalse(tf.engine().backendNames()[0] === tracing))

  it("takes constants of the types a graph can hold", () => {
    const constants = (x: tf.Tensor) =>
      tf.add(tf.where(tf.tensor([true, false]), x, [1, 2]), tf.cast(tf.tensor([1, 2], [2], "int32"), "float32"))
    assert.deepStrictEqual([...recorded(constants).graph.census().keys()], ["Add", "Cast", "Where"])
    assert.throws(() => recorded(() => tf.tensor(["word"])), /a constant of type string/)
  })
})
