import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import * as HuggingFaceWidths from "../../src/checkpoint/HuggingFaceWidths.ts"
import { BertConfig } from "../../src/model/index.ts"
import { small, uneven } from "./samples.ts"

/** Any widths that pruning can leave. */
const planned: fc.Arbitrary<BertConfig.BertConfig> = fc
  .record({ layers: fc.integer({ min: 1, max: 4 }), heads: fc.integer({ min: 1, max: 5 }) })
  .chain(({ layers, heads }) => {
    const widths = (multiple: number) =>
      fc.array(
        fc.integer({ min: 1, max: 9 }).map((width) => width * multiple),
        { minLength: layers, maxLength: layers }
      )
    return fc
      .record({ hidden: fc.integer({ min: 1, max: 40 }), ffn: widths(1), qk: widths(heads), vo: widths(heads) })
      .map((cut) => ({ ...small, layers, heads, scale: 0.3, ...cut }))
  })

/** What transformers builds from a config.json: `hidden_size` and `intermediate_size` decide every width. */
const isLegal = ({ hidden, heads, layers, ffn, qk, vo }: BertConfig.BertConfig): boolean => {
  const one = BertConfig.uniform({ ...small, layers, heads, hidden, ffn: ffn[0] ?? 0 })
  return hidden % heads === 0 && String([ffn, qk, vo]) === String([one.ffn, one.qk, one.vo])
}

describe("reasons", () => {
  it("are none for what transformers builds, and some for anything else", () =>
    fc.assert(
      fc.property(planned, (config) => {
        assert.strictEqual(HuggingFaceWidths.reasons(config).length === 0, isLegal(config))
        assert.deepStrictEqual(HuggingFaceWidths.reasons(HuggingFaceWidths.nearest(config)), [])
      })
    ))
})

describe("nearest", () => {
  it("is legal, no other legal hidden width is nearer, and feed-forward is the mean", () =>
    fc.assert(
      fc.property(planned, (config) => {
        const near = HuggingFaceWidths.nearest(config)
        assert.isTrue(isLegal(near))
        const distance = (hidden: number) => Math.abs(hidden - config.hidden)
        for (let hidden = config.heads; hidden <= 80; hidden += config.heads)
          assert.isAtMost(distance(near.hidden), distance(hidden))
        const mean = config.ffn.reduce((a, b) => a + b, 0) / config.layers
        assert.isAtMost(Math.abs((near.ffn[0] ?? 0) - mean), 0.5)
        assert.strictEqual(near.scale, 1 / Math.sqrt(near.hidden / near.heads))
        const { hidden: _, ffn: __, qk: ___, vo: ____, scale: _____, ...rest } = near
        assert.deepInclude(config, rest)
      })
    ))

  it("leaves legal widths as they are", () =>
    fc.assert(
      fc.property(planned, (config) => {
        const near = HuggingFaceWidths.nearest(config)
        assert.deepStrictEqual(HuggingFaceWidths.nearest(near), near)
      })
    ))
})

describe("problem", () => {
  it("is a ConfigError's, with key, widths, reasons and the nearest legal widths", () => {
    const error = Result.getOrThrow(Result.flip(HuggingFaceWidths.check(uneven, "--hidden")))
    assert.strictEqual(
      error.message,
      "--hidden = hidden 3, ffn [5, 2], qk [2, 4], vo [4, 2]: must be widths that Hugging Face's BertConfig has words for, but " +
        "hidden 3 is no multiple of 2 heads, and qk [2, 4] is not hidden 3, and vo [4, 2] is not hidden 3, and ffn [5, 2] differs " +
        "between layers; plan for hidden 2, ffn 4 and heads of 1 in every layer, the nearest it has words for, or export to ONNX, " +
        "which takes any widths"
    )
    assert.deepStrictEqual(HuggingFaceWidths.check(small), Result.succeed(small))
    assert.isUndefined(HuggingFaceWidths.problem(BertConfig.micro))
  })
})
