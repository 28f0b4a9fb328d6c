import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import onnxProto from "onnx-proto"
import { Onnx } from "homodistil/checkpoint"

const { onnx } = onnxProto

const initializers = fc.array(
  fc.oneof(
    fc.float32Array({ maxLength: 300 }).map((data) => ({ type: "float32", data }) as const),
    fc.int8Array({ maxLength: 300 }).map((data) => ({ type: "int8", data }) as const),
    fc.bigInt64Array({ maxLength: 40 }).map((data) => ({ type: "int64", data }) as const)
  ),
  { maxLength: 5 }
)

describe("encode", () => {
  it("writes what the schema of ONNX reads back: constants bit by bit, nodes, ports, notes and versions", () => {
    fc.assert(
      fc.property(initializers, fc.dictionary(fc.string({ minLength: 1 }), fc.string()), (constants, metadata) => {
        const graph = Onnx.Graph.make()
        constants.forEach(({ type, data }, i) => graph.initializer({ name: `c${i}`, shape: [data.length], type, data }))
        const made = graph.node("Softmax", [
          graph.node("LayerNormalization", ["x"], { axis: -1, epsilon: { float: 0.5 } })
        ])
        graph.rename(graph.node("Transpose", [made], { perm: [1, 0] }), "y")
        const port = (name: string) => ({ name, type: "int64", shape: ["n", 3] }) as const
        const parts = Onnx.encode(graph, {
          inputs: [port("x")],
          outputs: [port("y")],
          producer: { name: "homodistil", version: "1.2.3" },
          metadata
        })
        const model = onnx.ModelProto.decode(Buffer.concat(parts))
        const read = (model.graph?.initializer ?? []).map(({ name, dataType, dims, rawData }) => ({
          name,
          dataType,
          dims: (dims ?? []).map(Number),
          bytes: Buffer.from(rawData ?? []).toString("hex")
        }))
        const types = { float32: 1, int8: 3, int64: 7 }
        assert.deepStrictEqual(
          read,
          constants.map(({ type, data }, i) => ({
            name: `c${i}`,
            dataType: types[type],
            dims: [data.length],
            bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")
          }))
        )
        assert.deepStrictEqual([model.producerName, model.producerVersion], ["homodistil", "1.2.3"])
        assert.deepStrictEqual(
          model.opsetImport?.map(({ version }) => Number(version)),
          [Onnx.opset]
        )
        assert.deepStrictEqual(Object.fromEntries((model.metadataProps ?? []).map(({ key, value }) => [key, value])), {
          ...metadata
        })
        const nodes = model.graph?.node ?? []
        assert.deepStrictEqual(
          nodes.map(({ opType }) => opType),
          ["LayerNormalization", "Softmax", "Transpose"]
        )
        assert.deepStrictEqual(nodes.at(-1)?.output, ["y"])
        assert.deepStrictEqual(nodes.at(-1)?.attribute?.[0]?.ints?.map(Number), [1, 0])
        const dims = model.graph?.input?.[0]?.type?.tensorType?.shape?.dim ?? []
        assert.deepStrictEqual([dims[0]?.dimParam, Number(dims[1]?.dimValue)], ["n", 3])
      })
    )
  })
})
