import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { Axis, BertConfig } from "homodistil/model"
import { config } from "./tiny.ts"

const axes = BertConfig.axes(config)

describe("a configuration and its axes", () => {
  const widths = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 3, maxLength: 3 })

  it("tell the same", () =>
    fc.assert(
      fc.property(widths, widths, widths, fc.integer({ min: 1, max: 9 }), (ffn, qk, vo, hidden) => {
        const of = {
          ...BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 3, heads: 1, hidden: 4, ffn: 8 }),
          ffn,
          qk,
          vo,
          hidden
        }
        assert.deepStrictEqual(BertConfig.fromAxes(of, BertConfig.axes(of)), of)
      })
    ))

  it("are kept in files as they are, and nothing is added to what is usual", () => {
    const codec = {
      encode: Schema.encodeSync(BertConfig.Encoded),
      decode: Schema.decodeUnknownSync(BertConfig.Encoded)
    }
    for (const of of [
      config,
      { ...config, activation: "relu" as const },
      { ...config, decoder: "untied" as const },
      { ...config, head: "none" as const }
    ]) {
      assert.deepStrictEqual(codec.decode(JSON.parse(JSON.stringify(codec.encode(of)))), of)
      assert.deepStrictEqual(BertConfig.fromAxes(of, BertConfig.axes(of)), of)
    }
    assert.deepStrictEqual(Object.keys(codec.encode(BertConfig.micro)), Object.keys(BertConfig.micro))
    assert.throws(() => codec.decode({ ...config, activation: "mish" }))
  })

  it("follow a change of sizes, and only that", () => {
    const smaller = Axis.resize(
      axes,
      new Map([
        ["hidden", 5],
        ["layer.1.ffn", 3]
      ])
    )
    assert.deepStrictEqual(BertConfig.fromAxes(config, smaller), { ...config, hidden: 5, ffn: [12, 3] })
    assert.strictEqual(Axis.get(smaller, "layer.0.ffn").size, 12)
  })

  it("know heads, what may be pruned, and every axis by name", () => {
    assert.strictEqual(Axis.get(axes, Axis.ofLayer(1, "qk")).blocks, 2)
    assert.deepStrictEqual(
      Axis.prunable(axes).map((axis) => axis.id),
      ["hidden", ...[0, 1].flatMap((i) => (["ffn", "qk", "vo"] as const).map((kind) => Axis.ofLayer(i, kind)))]
    )
    assert.throws(() => Axis.get(axes, "layer.7.ffn"), /no axis layer\.7\.ffn; there are vocab, position/)
    assert.deepStrictEqual(Axis.of([Axis.get(axes, "type")]), new Map([["type", Axis.get(axes, "type")]]))
    assert.strictEqual(config.scale, 1 / Math.sqrt(4))
  })
})
