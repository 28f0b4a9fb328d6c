import { BertConfig, Flops } from "homodistil/model"
import { describe, expect, it } from "vitest"

const config = BertConfig.uniform({ vocabSize: 100, positions: 8, layers: 2, heads: 2, hidden: 4, ffn: 16 })
const batch = { rows: 3, length: 5, masked: 6 }

describe("Flops", () => {
  it("counts the products of a forward pass", () => {
    // by hand, each [m, k] × [k, n] as 2 m k n; 15 tokens
    const dense = 4 * (2 * 15 * 4 * 4) + 2 * (2 * 15 * 4 * 16)
    const scores = 3 * 2 * (2 * 5 * 2 * 5)
    const context = 3 * 2 * (2 * 5 * 5 * 2)
    const head = 2 * 6 * 4 * 4 + 2 * 6 * 4 * 100
    expect(Flops.forward(config, batch)).toBe(2 * (dense + scores + context) + head)
  })

  it("takes widths as they are after pruning", () => {
    const pruned = { ...config, qk: [2, 4], ffn: [16, 10] }
    const fewer = 2 * (2 * 15 * 4 * 2) + 3 * 2 * (2 * 5 * 5 * 1) + 2 * (2 * 15 * 4 * 6)
    expect(Flops.forward(config, batch) - Flops.forward(pruned, batch)).toBe(fewer)
  })

  it("counts no logits where there is no head", () => {
    const bare = { ...config, head: "none" as const }
    expect(Flops.forward(bare, batch)).toBe(Flops.forward(config, { ...batch, masked: 0 }))
    expect(Flops.forward(bare, batch)).toBeLessThan(Flops.forward(config, batch))
  })

  it("counts a step three times, the teacher once", () => {
    const student = { ...config, hidden: 2 }
    const projections = 3 * (2 * 15 * 2 * 4)
    expect(Flops.projections(student, config, batch)).toBe(projections)
    expect(Flops.distillationStep(config, student, batch)).toBe(
      Flops.forward(config, batch) + 3 * (Flops.forward(student, batch) + projections)
    )
  })
})
