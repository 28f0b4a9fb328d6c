import { Buffer } from "node:buffer"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import * as ort from "onnxruntime-node"
import { Tensor } from "homodistil/backend"
import { HuggingFace, Onnx } from "homodistil/checkpoint"
import { int8, transpose } from "../../../src/checkpoint/onnx/int8.ts"
import { batches, bytesOf, configs, eager, loud, run } from "./runtime.ts"

const float = fc.float({ min: -100, max: 100, noNaN: true })
const list = (length: number) => fc.array(float, { minLength: length, maxLength: length })

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 6 }), columns: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, columns }) => list(rows * columns).map((values) => Tensor.host(values, [rows, columns])))

describe("quantise", () => {
  it("brings each number back to within half its row's scale, and uses the whole range of codes", () => {
    fc.assert(
      fc.property(matrices, fc.constantFrom(64, 127), (matrix, top) => {
        const { codes, scales } = Onnx.quantise(matrix, top)
        const [rows = 0, columns = 0] = matrix.shape
        for (let r = 0; r < rows; r++) {
          const row = matrix.data.subarray(r * columns, (r + 1) * columns)
          const own = codes.subarray(r * columns, (r + 1) * columns)
          const scale = scales[r] ?? 0
          assert.isAbove(scale, 0)
          own.forEach((code, c) => assert.isAtMost(Math.abs(code * scale - (row[c] ?? 0)), scale * 0.500001))
          const wanted = Math.fround(Math.max(...row.map(Math.abs)) / top) < 2 ** -126 ? 0 : top
          assert.strictEqual(Math.max(...own.map(Math.abs)), wanted)
        }
      })
    )
  })

  it("counts rows too small for float32's normal numbers as 0", () => {
    const { codes, scales } = Onnx.quantise(Tensor.host([1e-42, -1e-42], [1, 2]))
    assert.deepStrictEqual([[...codes], [...scales]], [[0, 0], [1]])
  })
})

describe("transpose", () => {
  it("puts each code where row and column are exchanged", () => {
    assert.deepStrictEqual([...transpose(Int8Array.of(1, 2, 3, 4, 5, 6), 2, 3)], [1, 4, 2, 5, 3, 6])
  })
})

/** A graph of one product x Wᵀ + b, and what ONNX Runtime makes of it. */
const product = async (
  x: { readonly shape: ReadonlyArray<number>; readonly data: ArrayLike<number> },
  weight: ReturnType<typeof Tensor.host>,
  bias: ReadonlyArray<number>
): Promise<ReadonlyArray<number>> => {
  const graph = Onnx.Graph.make()
  const tensors: { readonly [name: string]: ReturnType<typeof Tensor.host> } = { w: weight, b: Tensor.host(bias) }
  const find = (name: string) => tensors[name] ?? assert.fail(name)
  graph.rename(int8(graph, find, new Set()).dense("w", "b", "x"), "y")
  const port = (name: string) => ({ name, type: "float32", shape: ["n", "k"] }) as const
  const parts = Onnx.encode(graph, {
    inputs: [port("x")],
    outputs: [port("y")],
    producer: { name: "test", version: "1" },
    metadata: {}
  })
  const session = await ort.InferenceSession.create(Buffer.concat(parts), { logSeverityLevel: 4 })
  const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from(x.data), [...x.shape]) })
  await session.release()
  return Array.from(y?.data ?? [], Number)
}

describe("a product of bytes", () => {
  // |xw - x̂ŵ| ≤ |x - x̂| |w| + |x̂| |w - ŵ|, where x̂ is off by at most its scale (its zero is rounded, too) and ŵ by half of its own
  it("is off by no more than the scales of its sides allow", () =>
    fc.assert(
      fc.asyncProperty(
        matrices.chain((weight) => {
          const [rows = 0, columns = 0] = weight.shape
          return fc.record({
            weight: fc.constant(weight),
            bias: list(rows),
            x: list(2 * columns).map((data) => ({ shape: [2, columns], data }))
          })
        }),
        async ({ weight, bias, x }) => {
          const [rows = 0, columns = 0] = weight.shape
          const y = await product(x, weight, bias)
          assert.lengthOf(y, 2 * rows)
          const step = (Math.max(0, ...x.data) - Math.min(0, ...x.data)) / 255
          for (let i = 0; i < 2; i++)
            for (let r = 0; r < rows; r++) {
              const row = weight.data.subarray(r * columns, (r + 1) * columns)
              const half = Math.max(...row.map(Math.abs)) / Onnx.largest / 2
              let [exact, bound] = [bias[r] ?? 0, 1e-3]
              row.forEach((w, c) => {
                const value = x.data[i * columns + c] ?? 0
                exact += value * w
                bound += step * Math.abs(w) + (Math.abs(value) + step) * half
              })
              assert.isAtMost(Math.abs((y[i * rows + r] ?? Number.NaN) - exact), bound * 1.0001)
            }
        }
      ),
      { numRuns: 40 }
    ))
})

describe("a graph of int8", () => {
  // bytes are coarse: where a layer normalisation gets numbers that are almost alike, a model of a few units may turn by much more than most do
  it("gives about what the eager forward pass gives, for any widths, activations and heads", async () => {
    const cosines: Array<number> = []
    await fc.assert(
      fc.asyncProperty(
        configs.chain((config) => fc.record({ config: fc.constant(config), batch: batches(config) })),
        fc.integer(),
        async ({ config, batch }, seed) => {
          const weights = loud(config, seed)
          for (const task of config.head === "none" ? (["features"] as const) : (["features", "masked-lm"] as const)) {
            const [exact, { data }] = [
              await eager(weights, task, batch),
              await run(bytesOf(weights, task, "int8"), batch)
            ]
            const dot = (xs: ReadonlyArray<number>, ys: ReadonlyArray<number>) =>
              xs.reduce((sum, x, i) => sum + x * (ys[i] ?? Number.NaN), 0)
            const cos = dot(exact, data) / Math.sqrt(dot(exact, exact) * dot(data, data))
            assert.isAbove(cos, 0.8)
            cosines.push(cos)
          }
        }
      ),
      { numRuns: 30 }
    )
    assert.isAbove(cosines.toSorted((a, b) => a - b)[Math.floor(cosines.length / 10)] ?? 0, 0.999)
  }, 120_000)
})

describe("the shipped teacher in int8", () => {
  const folder = fileURLToPath(new URL("../../../assets/teacher", import.meta.url))

  it("takes less than 0.3 of the bytes, and is off by less than a twentieth of its logits", async () => {
    const teacher = await Effect.runPromise(HuggingFace.read(folder).pipe(Effect.provide(NodeServices.layer)))
    const [batch] = fc.sample(batches({ ...teacher.config, positions: 12 }), { numRuns: 1, seed: 5 })
    if (batch === undefined) return assert.fail()
    const bytes = bytesOf(teacher, "masked-lm", "int8")
    assert.isBelow(bytes.length, 0.3 * readFileSync(`${folder}/model.safetensors`).length)
    const [exact, { data }] = [await eager(teacher, "masked-lm", batch), await run(bytes, batch)]
    const norm = (xs: ReadonlyArray<number>) => Math.hypot(...xs)
    const off = norm(exact.map((x, i) => x - (data[i] ?? Number.NaN))) / norm(exact)
    assert.isBelow(off, 0.05)
    assert.isAbove(off, 1e-4, "nothing was quantised")
  }, 60_000)
})
