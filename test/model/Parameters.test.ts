import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor } from "homodistil/backend"
import { BertConfig, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { config } from "./tiny.ts"

const specs = Parameters.bert(config)
const axes = BertConfig.axes(config)

describe("the parameters of a BERT", () => {
  it("are as many as a count by hand gives", () =>
    fc.assert(
      fc.property(
        fc.record({
          vocab: fc.integer({ min: 1, max: 50 }),
          positions: fc.integer({ min: 1, max: 9 }),
          layers: fc.integer({ min: 0, max: 4 }),
          hidden: fc.integer({ min: 1, max: 9 }).map((n) => 2 * n),
          ffn: fc.integer({ min: 1, max: 30 })
        }),
        ({ vocab, positions, layers, hidden: h, ffn }) => {
          const of = BertConfig.uniform({ vocabSize: vocab, positions, layers, heads: 2, hidden: h, ffn })
          const embeddings = (vocab + positions + 2) * h + 2 * h
          const layer = 4 * (h * h + h) + 2 * h + (h * ffn + ffn) + (ffn * h + h) + 2 * h
          const count = (kind: Partial<BertConfig.BertConfig>) =>
            Parameters.count(Parameters.bert({ ...of, ...kind }), BertConfig.axes(of))
          const head = h * h + h + 2 * h + vocab
          assert.strictEqual(count({ head: "none" }), embeddings + layers * layer)
          assert.strictEqual(count({ decoder: "untied" }), embeddings + layers * layer + head + vocab * h)
          assert.strictEqual(
            Parameters.count(Parameters.bert(of), BertConfig.axes(of)),
            embeddings + layers * layer + head
          )
        }
      )
    ))

  it("are listed by name, each once, with the axis they produce among their own", () => {
    const names = specs.map((spec) => spec.name)
    assert.deepStrictEqual(names, [...new Set(names)].toSorted())
    for (const { name, axes, output } of specs) assert.include(axes, output, name)
    assert.deepStrictEqual(Parameters.sorted(specs.toReversed()), specs)
    const signature = Parameters.signature(specs, axes)
    assert.deepStrictEqual(signature[Parameters.inLayer(0, "attention.output.dense.weight")], Tensor.float(8, 6))
    assert.deepStrictEqual(signature[Parameters.inLayer(1, "intermediate.dense.weight")], Tensor.float(10, 8))
  })

  it("start as a function of the seed and the name alone", () => {
    const seed = Seed.make(3)
    const values = Parameters.initialise(specs, axes, seed)
    assert.deepStrictEqual(Parameters.initialise(specs.toReversed(), axes, seed), values)
    const other = Parameters.initialise(specs, axes, Seed.make(4))
    const word = "bert.embeddings.word_embeddings.weight"
    assert.notDeepEqual(other[word], values[word])
    // a parameter more changes no other
    const deeper = { ...config, layers: 3, ffn: [12, 10, 4], qk: [8, 4, 4], vo: [6, 8, 4] }
    const more = Parameters.initialise(Parameters.bert(deeper), BertConfig.axes(deeper), seed)
    assert.deepInclude(more, values)
  })

  it("start as BERT's do: normal matrices of deviation .02, zero biases, unit normalisation weights", () => {
    const of = BertConfig.micro
    const values = Parameters.initialise(Parameters.bert(of), BertConfig.axes(of), Seed.make(0))
    for (const [name, { data, shape }] of Object.entries(values)) {
      if (shape.length === 1) {
        assert.isTrue(
          data.every((v) => v === (name.endsWith("LayerNorm.weight") ? 1 : 0)),
          name
        )
        continue
      }
      const n = data.length
      const mean = Array.from(data).reduce((a, b) => a + b, 0) / n
      const deviation = Math.sqrt(Array.from(data).reduce((a, b) => a + (b - mean) ** 2, 0) / n)
      assert.isBelow(Math.abs(mean), (5 * 0.02) / Math.sqrt(n), name)
      assert.closeTo(deviation, 0.02, (5 * 0.02) / Math.sqrt(2 * n), name)
    }
  })

  it("may start with sinusoids as positions: every row of the same size, nearer rows more alike", () => {
    const name = "bert.embeddings.position_embeddings.weight"
    const of = BertConfig.micro
    const all = (start: Parameters.PositionStart) =>
      Parameters.initialise(Parameters.bert(of), BertConfig.axes(of), Seed.make(0), start)
    const { data } = all("sinusoidal")[name] ?? assert.fail(name)
    const row = (i: number) => Array.from(data.slice(i * of.hidden, (i + 1) * of.hidden))
    const dot = (a: number, b: number) => row(a).reduce((sum, v, u) => sum + v * (row(b)[u] ?? 0), 0)
    for (let i = 0; i < of.positions; i++) assert.closeTo(dot(i, i) / of.hidden, 0.02 ** 2, 1e-8)
    assert.isTrue(dot(5, 6) > dot(5, 7) && dot(5, 7) > dot(5, 9))
    // position 0: sines of 0 and cosines of 0
    assert.deepStrictEqual([row(0)[0], row(0)[64]], [0, Math.fround(0.02 * Math.SQRT2)])
    assert.closeTo(row(3)[0] ?? 0, 0.02 * Math.SQRT2 * Math.sin(3), 1e-8)
    const others = ([key]: [string, unknown]) => key !== name
    assert.deepStrictEqual(
      Object.entries(all("sinusoidal")).filter(others),
      Object.entries(all("normal")).filter(others)
    )
  })
})
