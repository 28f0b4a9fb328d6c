import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DistillPlan, Method, PruningMode, Training } from "homodistil/distill"
import { CellCost } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { BertConfig, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import * as DistillReport from "../../src/cli/DistillReport.ts"

const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))

describe("DistillReport", () => {
  it("says before it starts what will become of the teacher, and what it takes", () => {
    const lines = DistillReport.outline(plan, BertConfig.micro).split("\n")
    assert.strictEqual(
      lines[0],
      "platon(window: 10, beta1: 0.85, beta2: 0.95), cubic(final: 0.25, start: 0, end: 0.3), local(multiples: {}), hard, loss mlm + kl + hidden + embedding + attention"
    )
    assert.match(lines[2] ?? "", /^teacher +4 +128 +512 +4 × 32 +1\.35M +.*1\.00x$/)
    assert.match(lines[3] ?? "", /^student +4 +32 +128 +4 × 8 +189k +.*x$/)
    assert.match(lines[4] ?? "", /^400 steps of 16 × 64 pieces: 1\.\d+T FLOPs, about \d\.\d GiB of memory$/)
  })

  it("says how long it takes: less where products run faster, and where steps are done", () => {
    const at = (rate: number, from?: number) =>
      DistillReport.seconds(plan, BertConfig.micro, from === undefined ? { rate } : { rate, from })
    assert.closeTo(at(2e11), at(1e11) / 2, 1e-9)
    // no faster than the operations of its steps could be, and at a sixth of that at the slowest
    const { student, teacher } = CellCost.of(plan, BertConfig.micro)
    assert.isAbove(at(1e11), (student + teacher) / 1e11)
    assert.isBelow(at(1e11), 10 * ((student + teacher) / 1e11))
    const [begun, late, over] = [0, 200, 400].map((from) => at(1e11, from))
    assert.strictEqual(begun, at(1e11))
    assert.isBelow(late ?? 0, begun ?? 0)
    // steps of wide students are more than half of the work
    assert.isBelow((late ?? 0) - (over ?? 0), ((begun ?? 0) - (over ?? 0)) / 2)
    assert.isAbove(over ?? 0, 0)
    // a run of hardly any steps is all measuring, whatever the length of its rows
    const short = (length: number) => {
      const training = Training.make({ steps: 1, rows: 1, length })
      return DistillReport.seconds({ ...plan, scorer: Scorer.magnitude(), training }, BertConfig.micro, { rate: 1e11 })
    }
    assert.closeTo(short(64) / short(8), 1, 0.01)
    assert.strictEqual(DistillReport.ahead(95), "about 95 seconds here, good to a factor of 2\n")
    assert.strictEqual(DistillReport.ahead(7300, 40), "about 2 hours here from step 40 on, good to a factor of 2\n")
  })

  it("says of single weights that the widths stay, and how many numbers", () => {
    const config = BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 1, heads: 1, hidden: 2, ffn: 2 })
    const text = DistillReport.outline({ ...plan, mode: PruningMode.unstructured }, config)
    const matrices = (9 + 4 + 2) * 2 + 4 * (2 * 2) + 2 * (2 * 2) + 2 * 2
    const left = Parameters.count(Parameters.bert(config), BertConfig.axes(config)) - Math.floor(0.75 * matrices)
    assert.strictEqual(text.split("\n")[1], `to the same widths, 25 % of the weights of matrices: ${left} parameters`)
    assert.deepEqual(DistillReport.ending({ ...plan, mode: PruningMode.unstructured }, config), config)
  })

  it("ends with teacher and student side by side", () => {
    const model = (hidden: number) => {
      const config = BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 1, heads: 1, hidden, ffn: 2 * hidden })
      return {
        config,
        parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
      }
    }
    const measures = { loss: 4.0601, accuracy: 0.2875, discrepancy: 0, tokens: 1 }
    const rows = DistillReport.comparison(
      { name: "teacher", model: model(4), measures, latency: 6 },
      { name: "student", model: model(2), measures: { ...measures, loss: 5.8777, discrepancy: 1.488 }, latency: 2.5 },
      4
    )
    // by hand: 2 · tokens · hidden · (4 qk-vo widths + 2 feed-forward widths), and attention 2 · tokens · length · (qk + vo)
    const operations = (h: number) => 2 * 4 * (h * (4 * h + 4 * h) + 4 * 2 * h)
    const shown = DistillReport.lines(rows)
      .split("\n")
      .map((line) => line.split(/ {2,}/))
    assert.deepEqual(shown, [
      ["", "teacher", "student"],
      ["parameters", "277", "107"],
      ["size on disk", "0.0 MB", "0.0 MB"],
      ["time for 4 pieces", "6.00 ms", "2.50 ms"],
      ["speed-up, measured", "1.00x", "2.40x"],
      ["speed-up by FLOPs", "1.00x", `${(operations(4) / operations(2)).toFixed(2)}x`],
      ["masked-LM loss", "4.060 nats", "5.878 nats"],
      ["masked-LM accuracy", "28.7 %", "28.7 %"],
      ["discrepancy to the teacher", "0.000 nats", "1.488 nats"],
      [""]
    ])
  })

  it("ends, without predictions, with how alike the states are; cosines only where widths are equal", () => {
    const config = BertConfig.uniform({ vocabSize: 9, positions: 4, layers: 1, heads: 1, hidden: 4, ffn: 4 })
    const parameters = Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0))
    const shown = (measures: DistillReport.Measured) =>
      DistillReport.comparison(
        { name: "teacher", model: { config, parameters }, measures: whole, latency: 6 },
        { name: "student", model: { config, parameters }, measures, latency: 2 },
        4
      )
        .slice(5)
        .map(({ name, teacher, student }) => [name, teacher, student])
    const whole = { states: 1, sentences: 1, cosine: 1, rows: 8 }
    assert.deepEqual(shown({ states: 0.91234, sentences: 0.8, rows: 8 }), [
      ["hidden states: CKA to the teacher's", "1.000", "0.912"],
      ["similarities of texts: correlation", "1.000", "0.800"]
    ])
    assert.deepEqual(shown({ ...whole, cosine: 0.75 }).at(-1), ["embeddings of texts: cosine", "1.000", "0.750"])
    assert.deepEqual(shown({ loss: 1, accuracy: 0, discrepancy: 0, tokens: 1 }), [])
  })
})
