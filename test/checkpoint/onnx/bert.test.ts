import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { HuggingFace, Onnx, Safetensors } from "homodistil/checkpoint"
import { BertConfig } from "homodistil/model"
import { batches, bytesOf, configs, distance, eager, loud, run } from "./runtime.ts"

const tasksOf = (config: BertConfig.BertConfig): ReadonlyArray<Onnx.Task> =>
  config.head === "none" ? ["features"] : ["features", "masked-lm"]

/** A model, a batch for it, and what random weights are drawn with. */
const cases = fc.tuple(
  configs.chain((config) => fc.record({ config: fc.constant(config), batch: batches(config) })),
  fc.integer()
)

describe("an exported graph", () => {
  it(
    "gives what the eager forward pass gives, for any widths, activations, heads, batches and padding",
    () =>
      fc.assert(
        fc.asyncProperty(cases, async ([{ config, batch }, seed]) => {
          const weights = loud(config, seed)
          for (const task of tasksOf(config)) {
            const { names, dims, data } = await run(bytesOf(weights, task), batch)
            assert.deepStrictEqual([...names], [Onnx.outputName(task)])
            const width = task === "features" ? config.hidden : config.vocabSize
            assert.deepStrictEqual([...dims], [batch.rows, batch.length, width])
            assert.isBelow(distance(data, await eager(weights, task, batch)), 1e-4)
          }
        }),
        { numRuns: 60 }
      ),
    120_000
  )

  it(
    "gives a row that is padded what it gives the row alone",
    () =>
      fc.assert(
        fc.asyncProperty(cases, async ([{ config, batch }, seed]) => {
          const bytes = bytesOf(loud(config, seed), "features")
          const { data } = await run(bytes, batch)
          for (let row = 0; row < batch.rows; row++) {
            const from = row * batch.length
            const length = batch.attention.subarray(from, from + batch.length).reduce((sum, kept) => sum + kept, 0)
            const part = (list: Int32Array) => list.slice(from, from + length)
            const alone = await run(bytes, {
              rows: 1,
              length,
              ids: part(batch.ids),
              types: part(batch.types),
              attention: new Float32Array(length).fill(1)
            })
            const start = from * config.hidden
            assert.isBelow(distance(alone.data, data.slice(start, start + length * config.hidden)), 1e-4)
          }
        }),
        { numRuns: 20 }
      ),
    120_000
  )

  it("refuses rows longer than its positions, ids it has no piece for, and segments it does not know", async () => {
    const config = BertConfig.uniform({ vocabSize: 5, positions: 3, layers: 1, heads: 1, hidden: 4, ffn: 4 })
    const bytes = bytesOf(loud(config, 0), "masked-lm")
    const batch = (length: number, id: number, type: number) => ({
      rows: 1,
      length,
      ids: new Int32Array(length).fill(id),
      types: new Int32Array(length).fill(type),
      attention: new Float32Array(length).fill(1)
    })
    const fails = (x: ReturnType<typeof batch>) =>
      run(bytes, x).then(
        () => false,
        () => true
      )
    assert.isFalse(await fails(batch(config.positions, config.vocabSize - 1, config.types - 1)))
    assert.isTrue(await fails(batch(config.positions + 1, 0, 0)))
    assert.isTrue(await fails(batch(1, config.vocabSize, 0)))
    assert.isTrue(await fails(batch(1, 0, config.types)))
  })

  it("has one copy of a tied word embedding, and no part of a head that is not asked for", () => {
    fc.assert(
      fc.property(
        configs.filter(({ head, decoder }) => head === undefined && decoder === undefined),
        (each) => {
          for (const precision of ["float32", "int8"] as const) {
            const of = (task: Onnx.Task) => Onnx.bert(loud(each, 0), task, precision).contents().initializers
            const tables = of("masked-lm").filter(({ name }) => name.startsWith("bert.embeddings.word_embeddings"))
            const matrices = tables.filter(({ shape }) => shape.length === 2)
            assert.deepStrictEqual(
              matrices.map(({ shape }) => [...shape]),
              [[each.vocabSize, each.hidden]]
            )
            assert.isEmpty(of("features").filter(({ name }) => name.startsWith("cls.")))
          }
        }
      ),
      { numRuns: 20 }
    )
  })

  it("is the same, to the byte, for equal models", () => {
    fc.assert(
      fc.property(configs, fc.integer(), (config, seed) => {
        const task = config.head === "none" ? "features" : "masked-lm"
        const { parameters } = loud(config, seed)
        const turned = Object.fromEntries(Object.entries(parameters).toReversed())
        for (const precision of ["float32", "int8"] as const)
          assert.deepStrictEqual(
            bytesOf({ config, parameters }, task, precision),
            bytesOf({ config, parameters: turned }, task, precision)
          )
      }),
      { numRuns: 10 }
    )
  })

  it("fails where a parameter is missing", () => {
    const config = BertConfig.uniform({ vocabSize: 5, positions: 3, layers: 1, heads: 1, hidden: 4, ffn: 4 })
    const { "bert.embeddings.LayerNorm.bias": _, ...parameters } = loud(config, 0).parameters
    assert.throws(() => Onnx.bert({ config, parameters }, "features", "float32"), /LayerNorm\.bias/)
  })
})

// made by scripts/bert-golden.py: what transformers computes with directories of its own
const golden = fileURLToPath(new URL("../../golden/bert/", import.meta.url))

describe("a graph of a directory of transformers'", () => {
  it.each(readdirSync(golden))("%s gives what transformers gives, within 1e-4", async (name) => {
    const model = await Effect.runPromise(Effect.provide(HuggingFace.read(golden + name), NodeServices.layer))
    const bytes = readFileSync(`${golden}${name}/expected.safetensors`)
    const { ids, mask, types, hidden, logits } = Result.getOrThrow(Safetensors.decode(bytes)).values
    const [rows = 0, length = 0] = ids?.shape ?? []
    const batch = {
      rows,
      length,
      ids: Int32Array.from(ids?.data ?? []),
      types: Int32Array.from(types?.data ?? []),
      attention: Float32Array.from(mask?.data ?? [])
    }
    const expected = { features: hidden, "masked-lm": logits }
    for (const task of tasksOf(model.config)) {
      const numbers = Array.from(expected[task]?.data ?? [])
      assert.lengthOf(numbers, rows * length * (task === "features" ? model.config.hidden : model.config.vocabSize))
      assert.isBelow(distance((await run(bytesOf(model, task), batch)).data, numbers), 1e-4)
    }
  })
})
