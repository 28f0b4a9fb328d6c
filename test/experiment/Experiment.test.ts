import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { spanSquad, squadOfJson, tokenizerOfVocabulary } from "homodistil/data"
import { Measure } from "homodistil/evaluate"
import { Cell, Experiment, ExperimentRows, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { Digest, Spec } from "homodistil/spec"
import { encodedToy } from "../evaluate/texts.ts"
import { experiment } from "./toy.ts"

const rowsOf = (options: Experiment.ExperimentOptions) => Effect.runSync(ExperimentRows.of(options, Scale.micro))

describe("isExperiment", () => {
  it("holds of what make gives", () => assert.isTrue(Experiment.isExperiment(experiment)))

  const wrong: { readonly [what: string]: unknown } = {
    nothing: undefined,
    "no title": { ...experiment, title: undefined },
    "no layer": { ...experiment, method: {} },
    "an unknown component": { ...experiment, vary: { scorre: [] } },
    "a value in place of a layer": { ...experiment, vary: { scorer: [Scorer.platon()] } },
    "half a seed": { ...experiment, seeds: 1.5 }
  }
  it.each(Object.keys(wrong))("does not hold of %s", (what) => assert.isFalse(Experiment.isExperiment(wrong[what])))
})

describe("an experiment on tasks of labelled text", () => {
  const texts = { tasks: [encodedToy({ metrics: ["f1", "accuracy"] })], options: { epochs: 2 } }
  const measures = Measure.standard()
  const ids = measures.flatMap(({ columns }) => columns.map(({ id }) => id))
  const brown = new Set(Measure.brown().columns.map(({ id }) => id))

  it("shows their columns where the first of Brown's was, leaves the others in their order, and has no spans it does not show", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(ids, { minLength: 1 }), (columns) => {
        const on = Experiment.on({ ...experiment, measure: measures, columns }, { texts })
        const first = columns.findIndex((id) => brown.has(id))
        const others = columns.filter((id) => !brown.has(id))
        const expected = first < 0 ? others : others.toSpliced(first, 0, "toy.dev.f1", "toy.dev.accuracy")
        assert.deepStrictEqual(on.columns, expected)
        const measured = new Set(on.measure.flatMap((each) => each.columns.map(({ id }) => id)))
        for (const id of expected) assert.isTrue(measured.has(id))
        assert.strictEqual(
          measured.has("span.f1"),
          columns.some((id) => id.startsWith("span."))
        )
        assert.isTrue(measured.has("curve.final") && measured.has("toy.dev.f1"))
      })
    )
  })

  it("is what it was where it measures no task", () => {
    const none = { ...experiment, measure: [Measure.curve()] }
    assert.strictEqual(Experiment.on(none, { texts }), none)
    assert.strictEqual(Experiment.on({ ...experiment, measure: measures }, {}).measure, measures)
  })
})

describe("an experiment on SQuAD", () => {
  const qas = [{ id: "1", question: "a", answers: [{ text: "b", answer_start: 2 }] }]
  const file = (title: string) =>
    Result.getOrThrow(
      squadOfJson("one.json", JSON.stringify({ data: [{ title, paragraphs: [{ context: "a b", qas }] }] }))
    )
  const tokenizer = tokenizerOfVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"], () => [5])
  const task = (title: string) => spanSquad({ train: file(title), test: file(title) }, tokenizer)
  const keys = (options: Experiment.ExperimentOptions) =>
    rowsOf(options).map(({ plan }) =>
      Cell.key({
        plan,
        seed: 0,
        scale: Scale.micro,
        measures: options.measure,
        ...(options.trajectory === undefined ? {} : { trajectory: options.trajectory }),
        teacher: Digest.of("teacher"),
        dataset: Spec.make("dataset"),
        backend: Spec.make("backend")
      })
    )

  it("has other cells for another file and the same for the same bytes; without spans it is what it was", () => {
    const spans = { ...experiment, measure: Measure.standard() }
    const of = (title: string) => Experiment.on(spans, { squad: { task: task(title), length: 64 } })
    assert.deepStrictEqual(keys(of("one")), keys(of("one")))
    assert.lengthOf(new Set([spans, of("one"), of("two")].flatMap(keys)), 3 * keys(spans).length)
    const none = { ...experiment, measure: [Measure.curve(), Measure.brown()] }
    assert.strictEqual(Experiment.on(none, { squad: { task: task("one"), length: 64 } }), none)
  })

  it("shows the columns of SQuAD where those of spans were, and leaves the others, their order and their numbers", () => {
    const measures = [Measure.curve(), Measure.all("both", [Measure.span(), Measure.parameters()]), Measure.heldOut()]
    const ids = measures.flatMap(({ columns }) => columns.map(({ id }) => id))
    fc.assert(
      fc.property(fc.shuffledSubarray(ids), fc.boolean(), (columns, onTheWay) => {
        const own: Experiment.ExperimentOptions = {
          ...experiment,
          measure: measures,
          columns,
          ...(onTheWay ? { trajectory: { points: 2, measure: measures.slice(1) } } : {})
        }
        const on = Experiment.on(own, { squad: { task: task("one"), length: 64 } })
        assert.deepStrictEqual(
          on.columns,
          columns.map((id) => id.replace(/^span\./, "squad."))
        )
        assert.deepStrictEqual(
          rowsOf(on).map(({ name }) => name),
          rowsOf(own).map(({ name }) => name)
        )
        for (const each of [on.measure, on.trajectory?.measure ?? []])
          assert.notInclude(JSON.stringify(each.map(({ spec }) => Spec.toJson(spec))), "spanPhrase")
        assert.deepStrictEqual([on.measure[0], on.measure[2]], [measures[0], measures[2]])
      })
    )
  })
})
