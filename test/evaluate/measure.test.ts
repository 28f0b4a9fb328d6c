import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Flops, Model } from "../../src/model/index.ts"
import { spanSquad, squadOfJson, type Task, tokenizerOfVocabulary } from "../../src/data/index.ts"
import { CutModel, FineTune, HeldOut, Measure, Probe, TaskExamples } from "../../src/evaluate/index.ts"
import { Digest, Seed, Spec } from "../../src/spec/index.ts"
import { toyDataset } from "../data/brown.ts"
import { spansOf, spanTask } from "./spans.ts"
import { batch, config, model, prunedBothWays, randomRows, run, task, tokensOf } from "./tiny.ts"

const dataset = toyDataset([90, 91, 92])
const toy: Task = {
  ...task("token", 3),
  examples: (_, { split, count, length }) =>
    tokensOf(randomRows(split === "train" ? 0 : 1, count, length), (id) => id % 3, length)
}
const few = { train: 20, test: 10, length: 6, rows: 5 }
const sized = {
  probe: { full: few, small: { ...few, train: 8 } },
  fineTune: { full: { ...few, steps: 5 }, small: { ...few, steps: 2 } }
}
const span = (options = few) =>
  Measure.span({
    task: { ...spanTask(), examples: (_, { split, count }) => spansOf(randomRows(split === "train" ? 0 : 1, count)) },
    full: { ...options, steps: 5 },
    small: { ...few, steps: 2 }
  })
const measures = [Measure.heldOut(), Measure.curve(), Measure.parameters(), Measure.task(toy, sized), span()]
const curve = [
  { step: 0, discrepancy: 0 },
  { step: 10, discrepancy: 2 },
  { step: 20, discrepancy: 1 }
]

const context = (of: Model.Model, heldOut: HeldOut.Reference, small = false): Measure.MeasureContext => ({
  model: of,
  dataset,
  heldOut,
  curve,
  seed: Seed.make(0),
  small
})

const digest = (measure: Measure.Measure) => Digest.of(Spec.toJson(measure.spec))

describe("Measure: RunMeasures, TaskMeasures, SpanMeasures, sized, standard", () => {
  it("gives a number for every column, each under an id of its own, the same for a masked and the cut model", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const heldOut = yield* HeldOut.reference(model(1), [batch(0, { rows: 4, padded: false })])
          const together = Measure.all("all", measures)
          const { cut, masked } = prunedBothWays(model(0))
          const values = yield* together.run(context(cut, heldOut))
          const ids = together.columns.map((column) => column.id)
          assert.lengthOf(new Set(ids), ids.length)
          assert.deepStrictEqual(Object.keys(values), ids)
          assert.isTrue(Object.values(values).every(Number.isFinite))
          assert.deepStrictEqual(yield* together.run(context(masked, heldOut)), values)
          assert.strictEqual(values["parameters"], Model.size(cut))
          assert.deepStrictEqual([values["curve.final"], values["curve.area"], values["curve.peak"]], [1, 1.5, 2])
        })
      )
    ))

  it("is what probe and fine-tuning give by themselves, in percent, and in a small context with the small options", () =>
    run(
      Effect.gen(function* () {
        const heldOut = HeldOut.withoutTeacher([])
        for (const [size, small] of [
          ["full", false],
          ["small", true]
        ] as const) {
          const measured = yield* Measure.task(toy, sized).run(context(model(0), heldOut, small))
          const probe = Probe.make(toy, sized.probe[size])
          const tuning = FineTune.make(toy, sized.fineTune[size])
          const data = yield* TaskExamples.take(toy, dataset, tuning.options)
          const seed = Seed.child(Seed.make(0), "fine-tune toy")
          const probed = yield* Probe.run(probe, CutModel.of(model(0)), dataset)
          const tuned = yield* FineTune.onExamples(tuning, model(0), data, seed)
          assert.deepStrictEqual(measured, {
            "toy.probe": 100 * probed.accuracy,
            "toy.fineTune": 100 * tuned.accuracy
          })
        }
      })
    ))

  it("counts the operations of its options: of the small ones where a context is small", () => {
    const heldOut = { rows: 9, length: 6, masked: 18 }
    const forward = (rows: number, length: number) => Flops.forward(config, { rows, length, masked: 0 })
    const { length } = few
    for (const [small, train, steps] of [
      [false, few.train, 5],
      [true, 8, 2]
    ] as const) {
      const size = { config, heldOut, small }
      const tuned = 3 * steps * forward(few.rows, length) + forward(few.test, length)
      assert.strictEqual(Measure.fineTune(toy, sized.fineTune).flops?.(size), tuned)
      assert.strictEqual(span().flops?.(size), tuned)
      // every piece has a score for each of three classes; fitting them takes two products an iteration, judging one
      const { iterations } = Probe.make(toy, small ? { ...Probe.small("token"), ...few } : few).options
      const scores = 2 * length * config.hidden * 3
      const probed = forward(train + few.test, length) + (2 * iterations * train + few.test) * scores
      assert.strictEqual(Measure.probe(toy, sized.probe).flops?.(size), probed)
      assert.strictEqual(Measure.flops(measures, size), 2 * tuned + probed + Flops.forward(config, heldOut))
      assert.strictEqual(Measure.all("all", measures).flops?.(size), Measure.flops(measures, size))
    }
  })

  it("has in its spec whatever shapes a number", () => {
    const base = digest(Measure.task(toy, sized))
    const { probe, fineTune } = sized
    const others = [
      { ...sized, probe: { ...probe, full: { ...probe.full, l2: 0.5 } } },
      { ...sized, probe: { ...probe, small: { ...probe.small, test: 9 } } },
      { ...sized, fineTune: { ...fineTune, full: { ...fineTune.full, learningRate: 0.5 } } },
      { ...sized, fineTune: { ...fineTune, small: { ...fineTune.small, steps: 3 } } }
    ]
    assert.lengthOf(new Set([base, ...others.map((options) => digest(Measure.task(toy, options)))]), 5)
    const renamed: Task = { ...toy, spec: Spec.make("other") }
    assert.notStrictEqual(digest(Measure.task(renamed, sized)), base)
    assert.lengthOf(new Set(measures.map(digest)), measures.length)
    assert.lengthOf(new Set([span(), span({ ...few, test: 9 }), Measure.span()].map(digest)), 3)
  })

  it("keeps the specs of Brown's tasks, which are part of every cell's key", () => {
    assert.strictEqual(digest(Measure.brown()), "39a76e9238bc3d16c6718599f89464f5d1a8cf36cfbd79ac878dd4f4bdbd65d7")
    assert.deepStrictEqual(
      Measure.standard().slice(0, 3).map(digest),
      [Measure.heldOut(), Measure.curve(), Measure.brown()].map(digest)
    )
  })

  const questions = (articles: number) =>
    squadOfJson(
      "made.json",
      JSON.stringify({
        data: Array.from({ length: articles }, (_, i) => ({
          title: `t${i}`,
          paragraphs: [
            {
              context: "By Ada",
              qas: [{ id: String(i), question: "Who?", answers: [{ text: "Ada", answer_start: 3 }] }]
            }
          ]
        }))
      })
    ).pipe(Result.getOrThrow)
  const toyTokenizer = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"], () => [5])

  it("takes SQuAD in the place of Brown's spans alone, wherever they are, and then has another spec for every file", () => {
    const one = spanSquad({ train: questions(20) }, toyTokenizer)
    const other = spanSquad({ train: questions(20), test: questions(7) }, toyTokenizer)
    for (const measure of measures) assert.isUndefined(measure.on?.({ squad: { task: one, length: 64 } }))
    const on = (measure: Measure.Measure) => measure.on?.({ squad: { task: one, length: 64 } })?.measure ?? measure
    assert.isUndefined(Measure.span().on?.({}))
    const replaced = on(Measure.span())
    assert.strictEqual(digest(replaced), digest(Measure.squad(one)))
    assert.include(JSON.stringify(Spec.toJson(replaced.spec)), questions(20).digest)
    const different = [Measure.span(), replaced, Measure.squad(other), Measure.squad(one, { full: { length: 40 } })]
    assert.lengthOf(new Set(different.map(digest)), different.length)
    const nested = Measure.all("outer", [Measure.curve(), Measure.all("inner", [Measure.span(), Measure.parameters()])])
    const inner = Measure.all("inner", [Measure.squad(one), Measure.parameters()])
    assert.strictEqual(digest(on(nested)), digest(Measure.all("outer", [Measure.curve(), inner])))
    assert.strictEqual(
      digest(on(Measure.span({ full: { steps: 7 } }))),
      digest(Measure.squad(one, { full: { steps: 7 } }))
    )
  })

  it("says under SQuAD's columns, not beside them, which questions they are of", () => {
    const [exact, f1] = Measure.squad(spanSquad({ train: questions(20) }, toyTokenizer)).columns
    assert.match(exact?.note ?? "", /learned from 16 of 16 questions, judged on 2 of 2 questions, in rows of 64 pieces/)
    assert.strictEqual(f1?.note, exact?.note)
    assert.match(Measure.span().columns[0]?.note ?? "", /noun phrase/)
    assert.isUndefined(span().columns[0]?.note)
  })

  it("refuses impossible options at once", () => {
    assert.throws(
      () => Measure.fineTune(toy, { full: { steps: 0, rows: -1 } }),
      /steps = 0[^]*rows = -1|rows = -1[^]*steps = 0/
    )
  })
})
