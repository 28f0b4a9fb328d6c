import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, Tensor, transfer } from "../../src/backend/index.ts"
import type { MaskedBatch } from "../../src/data/index.ts"
import { CutModel, Similarity } from "../../src/evaluate/index.ts"
import { Axis, Bert, BertConfig, Head, Model, Parameters, Tokens } from "../../src/model/index.ts"
import { PrunePlan } from "../../src/pruning/index.ts"
import { batch, config, model, prunedBothWays, run } from "./tiny.ts"

const batches = [
  batch(1, { rows: 5, padded: false }),
  batch(2, { rows: 5, padded: false }),
  batch(3, { rows: 3, padded: true })
]

/** The last hidden states of each piece of each row, padding left out. */
const statesOf = (of: Model.Model, given: MaskedBatch) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const compiled = yield* backend.compile(
        "states",
        { model: Model.signature(of), tokens: Tokens.signature(given) },
        (x) => ({ states: Bert.last(Bert.encode(x.model.parameters, of.config, Tokens.tensors(given, x.tokens))) })
      )
      const inputs = yield* transfer.upload(backend, { model: Model.inputs(of), tokens: Tokens.inputs(given) })
      const out = yield* compiled.run(inputs)
      const { data } = (yield* transfer.download(backend, out)).states
      yield* transfer.release(backend, [inputs, out])
      const width = of.config.hidden
      return Array.from({ length: given.rows }, (_, row) =>
        Array.from({ length: given.length }, (_, column) => row * given.length + column)
          .filter((at) => (given.attention?.[at] ?? 1) === 1)
          .map((at) => [...data.subarray(at * width, (at + 1) * width)])
      )
    })
  )

type Rows = ReadonlyArray<ReadonlyArray<number>>

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x, 0) / values.length
const columnMeans = (rows: Rows) => (rows[0] ?? []).map((_, j) => mean(rows.map((row) => row[j] ?? Number.NaN)))
const inner = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)
const cosine = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) =>
  inner(a, b) / Math.sqrt(inner(a, a) * inner(b, b))

/** HSIC with linear kernels, the other way round: from the kernel matrices over all pairs of pieces. */
const kernelAlignment = (a: Rows, b: Rows): number => {
  const centred = (rows: Rows) => {
    const means = columnMeans(rows)
    return rows.map((row) => row.map((x, j) => x - (means[j] ?? 0)))
  }
  const [x, y] = [centred(a), centred(b)]
  const hsic = (p: Rows, q: Rows) =>
    p.reduce(
      (sum, left, i) => sum + p.reduce((s, right, j) => s + inner(left, right) * inner(q[i] ?? [], q[j] ?? []), 0),
      0
    )
  return hsic(x, y) / Math.sqrt(hsic(x, x) * hsic(y, y))
}

const pearson = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const centred = (values: ReadonlyArray<number>) => values.map((x) => x - mean(values))
  return cosine(centred(a), centred(b))
}

const pairs = (rows: Rows) => rows.flatMap((row, i) => rows.slice(0, i).map((other) => cosine(row, other)))

const compare = (student: Model.Model, teacher: Model.Model) =>
  Effect.scoped(
    Effect.flatMap(Similarity.reference(teacher, batches), (reference) => Similarity.measure(student, reference))
  )

/** A model cut to some of its hidden units, so that widths differ. */
const narrow = (whole: Model.Model): Model.Model => {
  const axes = BertConfig.axes(config)
  const plan = PrunePlan.of({ hidden: [0, 2, 3, 6, 7] })
  return {
    config: BertConfig.fromAxes(config, PrunePlan.axesAfter(axes, plan)),
    parameters: PrunePlan.cutTree(whole.parameters, Parameters.bert(config), plan)
  }
}

describe("Similarity", () => {
  it.each([
    ["as wide as its teacher", model(0)],
    ["narrower", narrow(model(0))]
  ])("of a student %s agrees with plain loops over the states", (_, student) =>
    run(
      Effect.gen(function* () {
        const teacher = model(1)
        const measured = yield* compare(student, teacher)
        const all = (of: Model.Model) =>
          Effect.map(
            Effect.forEach(batches, (given) => statesOf(of, given)),
            (each) => each.flat()
          )
        const [mine, theirs] = [yield* all(student), yield* all(teacher)]
        const [own, other] = [mine.map(columnMeans), theirs.map(columnMeans)]
        assert.closeTo(measured.states, kernelAlignment(mine.flat(), theirs.flat()), 1e-4)
        assert.closeTo(measured.sentences, pearson(pairs(own), pairs(other)), 1e-4)
        if (student.config.hidden !== config.hidden) assert.isUndefined(measured.cosine)
        else assert.closeTo(measured.cosine ?? 9, mean(own.map((row, i) => cosine(row, other[i] ?? []))), 1e-4)
        assert.strictEqual(measured.rows, 13)
        assert.isBelow(measured.states, 0.99)
      })
    )
  )

  it("is 1 to itself, with a head or without, and in [0, 1] to others", () =>
    run(
      Effect.gen(function* () {
        const same = yield* compare(model(0), Head.remove(model(0)))
        for (const value of [same.states, same.sentences, same.cosine]) assert.closeTo(value ?? 0, 1, 1e-5)
        for (let seed = 1; seed < 6; seed++) {
          const { states, sentences } = yield* compare(model(seed), model(0))
          assert.isTrue(states >= 0 && states <= 1 && Math.abs(sentences) <= 1)
        }
      })
    ))

  it("does not change where the states are rotated and scaled", () =>
    run(
      Effect.gen(function* () {
        const whole = model(0)
        const last = Parameters.inLayer(config.layers - 1, "output.LayerNorm")
        // the last normalisation's gain and shift alone touch no other state: another sign and order of nothing else
        const turned = Object.fromEntries(
          Object.entries(whole.parameters).map(([name, value]) => [
            name,
            name.startsWith(last) ? { ...value, data: value.data.map((x, i) => x * (i % 2 === 0 ? -3 : 3)) } : value
          ])
        )
        const { states, sentences, cosine } = yield* compare({ config, parameters: turned }, whole)
        assert.closeTo(states, 1, 1e-5)
        assert.closeTo(sentences, 1, 1e-5)
        assert.isBelow(cosine ?? 1, 0.9)
      })
    ))

  // correlations of cosines that are almost alike turn by up to 4.0e-5 among all of these seeds
  it("measures a masked model as the cut one", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), (seed) =>
        run(
          Effect.gen(function* () {
            const { cut, masked } = prunedBothWays(model(seed))
            assert.isBelow(BertConfig.axes(cut.config).get(Axis.hidden)?.size ?? 9, config.hidden)
            const expected = yield* compare(cut, model(seed))
            for (const same of [masked, CutModel.of(masked)]) {
              const measured = yield* compare(same, model(seed))
              assert.closeTo(measured.states, expected.states, 2e-4)
              assert.closeTo(measured.sentences, expected.sentences, 2e-4)
            }
          })
        )
      ),
      { numRuns: 5 }
    ))

  it("is 0 where the states say nothing", () =>
    run(
      Effect.gen(function* () {
        const silent = Object.fromEntries(
          Object.entries(model(0).parameters).map(([name, value]) => [
            name,
            Tensor.host(new Float32Array(value.data.length), value.shape)
          ])
        )
        const { states, sentences } = yield* compare({ config, parameters: silent }, model(1))
        assert.deepStrictEqual([states, sentences], [0, 0])
      })
    ))
})
