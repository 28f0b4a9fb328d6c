import * as fc from "fast-check"
import { Architecture } from "homodistil/experiment"
import { BertConfig } from "homodistil/model"
import { assert, describe, it } from "vitest"

const of = (model: string, family = "paper"): Architecture.Architecture => {
  const found = Architecture.rows.find((row) => row.model === model && row.family === family)
  if (found === undefined) throw new Error(`there is no ${model}`)
  return found
}

/** The parameters of a BERT with the masked-language-model head, written out. */
const byHand = (o: {
  readonly vocab: number
  readonly positions: number
  readonly layers: number
  readonly hidden: number
  readonly ffn: number
  readonly qk: number
  readonly vo: number
}): number => {
  const { hidden, ffn, qk, vo } = o
  const norm = 2 * hidden
  const embedding = (o.vocab + o.positions + 2) * hidden + norm
  const attention = 2 * (hidden * qk + qk) + (hidden * vo + vo) + (vo * hidden + hidden) + norm
  const feedForward = hidden * ffn + ffn + (ffn * hidden + hidden) + norm
  const head = hidden * hidden + hidden + norm + o.vocab
  return embedding + o.layers * (attention + feedForward) + head
}

describe("Architecture", () => {
  it("counts BERT-base and the paper's small student as they are by hand", () => {
    const base = { vocab: 30_522, positions: 512, layers: 12, hidden: 768, ffn: 3072, qk: 768, vo: 768 }
    assert.strictEqual(of("BERT-base").parameters, byHand(base))
    // 64 units of a head become 21, in 12 heads
    const small = { ...base, hidden: 256, ffn: 1024, qk: 252, vo: 252 }
    assert.strictEqual(of("HomoBERT-small").parameters, byHand(small))
    const micro = { vocab: 4096, positions: 64, layers: 4, hidden: 32, ffn: 128, qk: 32, vo: 32 }
    assert.strictEqual(of("student, 25 %", "micro").parameters, byHand(micro))
  })

  it("has BERT-base as others count it: with the pooler and without the head, 109,482,240", () => {
    const { parameters, head } = of("BERT-base")
    assert.strictEqual(parameters - head + 768 * 768 + 768, 109_482_240)
  })

  it("is within 1.2 % of the paper's numbers without the head, and gives the first of them without positions and segments", () => {
    const stated = Architecture.rows.filter((row) => row.stated !== undefined)
    assert.strictEqual(stated.length, 5)
    for (const { parameters, head, stated: paper = 0 } of stated)
      assert.isBelow(Math.abs((parameters - head) / 1e6 / paper - 1), 0.012)
    const { parameters, head, hidden } = of("HomoBERT-base")
    assert.strictEqual(((parameters - head - 514 * hidden) / 1e6).toFixed(1), "65.4")
  })

  it("has the paper's widths", () => {
    const widths = ["HomoBERT-base", "HomoBERT-small", "HomoBERT-xsmall", "HomoBERT-tiny"].map((model) => {
      const { hidden, ffn } = of(model)
      return [hidden, ffn]
    })
    assert.deepEqual(widths, [
      [576, 2304],
      [256, 1024],
      [240, 960],
      [224, 896]
    ])
  })

  it("keeps whole heads of equal width, and never more units for a smaller ratio", () =>
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (ratio, part) => {
          const [large, small] = [ratio, Math.max(0.005, ratio * part)].map((share) =>
            Architecture.student(BertConfig.micro, share)
          )
          if (large === undefined || small === undefined) throw new Error("two shares give two students")
          for (const width of [...large.qk, ...large.vo]) assert.strictEqual(width % large.heads, 0)
          assert.isAtMost(small.hidden, large.hidden)
          for (const kind of ["ffn", "qk", "vo"] as const)
            for (const [i, width] of small[kind].entries()) assert.isAtMost(width, large[kind][i] ?? 0)
        }
      )
    ))
})
