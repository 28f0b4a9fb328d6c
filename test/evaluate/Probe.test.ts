import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CutModel, NotFinite, Probe } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { model, planted, prunedBothWays, randomRows, rowsOf, run, task, tokensOf } from "./tiny.ts"

const options = { rows: 7, l2: 1e-4, iterations: 300, tolerance: 1e-5 }
const token = Probe.make(task("token", 3), options)
const sequence = Probe.make(task("sequence", 2), options)
const tokens = (seed: number, count: number, longest = 6) => tokensOf(randomRows(seed, count, longest), (id) => id % 3)
const sequences = (seed: number, count: number) => rowsOf(randomRows(seed, count), (row) => Number(row.includes(7)))

describe("Probe", () => {
  it("reads the piece itself from its hidden state", () =>
    run(
      Effect.gen(function* () {
        const found = yield* Probe.onExamples(token, planted(0), { train: tokens(0, 120), test: tokens(1, 40) })
        assert.isBelow(found.majority, 0.6)
        assert.isAbove(found.accuracy, 0.8)
        assert.isAtMost(found.slope, 1e-4)
      })
    ))

  it("stays near chance where labels are random", () =>
    run(
      Effect.gen(function* () {
        const random = (seed: number) => {
          const rows = tokens(seed, 150)
          const draws = Seed.integers(Seed.make(seed), rows.labels.length, 3)
          return { ...rows, labels: rows.labels.map((label, i) => (label < 0 ? -1 : (draws[i] ?? 0))) }
        }
        const { accuracy } = yield* Probe.onExamples(token, model(0), { train: random(2), test: random(3) })
        assert.closeTo(accuracy, 1 / 3, 0.1)
      })
    ))

  it("says the same of a masked and of the cut model, and the same twice", () =>
    run(
      Effect.gen(function* () {
        const { cut, masked } = prunedBothWays(model(4))
        for (const [probe, data] of [
          [token, { train: tokens(0, 60), test: tokens(1, 30) }],
          [sequence, { train: sequences(0, 60), test: sequences(1, 30) }]
        ] as const) {
          const expected = yield* Probe.onExamples(probe, cut, data)
          assert.deepStrictEqual(yield* Probe.onExamples(probe, masked, data), expected)
          assert.deepStrictEqual(yield* Probe.onExamples(probe, cut, data), expected)
        }
      })
    ))

  it("cuts nothing of the model it is given", () =>
    run(
      Effect.gen(function* () {
        const { masked } = prunedBothWays(model(4))
        const before = structuredClone(masked)
        yield* Probe.onExamples(token, masked, { train: tokens(0, 20), test: tokens(1, 20) })
        assert.deepStrictEqual(masked, before)
        assert.notStrictEqual(CutModel.of(masked), masked)
      })
    ))

  it("fails where the model's weights are no numbers", () =>
    run(
      Effect.gen(function* () {
        const { config, parameters } = model(0)
        const broken = Object.fromEntries(
          Object.entries(parameters).map(([name, value]) => [
            name,
            { ...value, data: value.data.map(() => Number.NaN) }
          ])
        )
        const data = { train: tokens(0, 20), test: tokens(1, 20) }
        const error = yield* Effect.flip(Probe.onExamples(token, { config, parameters: broken }, data))
        assert.instanceOf(error, NotFinite)
      })
    ))
})
