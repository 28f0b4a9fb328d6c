import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as ort from "onnxruntime-node"
import { evaluate, Tensor } from "homodistil/backend"
import { Onnx } from "homodistil/checkpoint"
import { Activation } from "homodistil/model"
import { activate } from "../../../src/checkpoint/onnx/activation.ts"
import { distance } from "./runtime.ts"

describe("activate", () => {
  it.each([undefined, ...Activation.activations])("%s is the model's", async (name) => {
    const graph = Onnx.Graph.make()
    graph.rename(activate(graph, "x", name), "y")
    const port = (of: string) => ({ name: of, type: "float32", shape: ["n"] }) as const
    const session = await ort.InferenceSession.create(
      Buffer.concat(
        Onnx.encode(graph, {
          inputs: [port("x")],
          outputs: [port("y")],
          producer: { name: "test", version: "1" },
          metadata: {}
        })
      )
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 40 }),
        async (xs) => {
          const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from(xs), [xs.length]) })
          const ours = await evaluate((x) => Activation.apply(x, name), Tensor.host(xs))
          assert.isBelow(distance(Array.from(y?.data ?? [], Number), Array.from(ours.data)), 2e-5)
        }
      ),
      { numRuns: 30 }
    )
    await session.release()
  })
})
