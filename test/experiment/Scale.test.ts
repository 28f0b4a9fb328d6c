import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DistillPlan, LearningRate, Method, Training } from "homodistil/distill"
import { Architecture, type Experiment, ExperimentRows, Scale } from "homodistil/experiment"
import * as Loss from "homodistil/loss"
import { adamW } from "homodistil/optimizer"
import { Spec } from "homodistil/spec"
import table5 from "../../experiments/table5.ts"

describe("Scale", () => {
  it("is found by name; an unknown one lists those there are", () => {
    for (const scale of Scale.all) assert.strictEqual(Scale.named(scale.name), scale)
    const error = Scale.named("huge")
    assert.isTrue("problems" in error)
    if ("problems" in error)
      assert.strictEqual(error.message, "scale = huge: must be one of smoke, micro, minilm, paper; use --scale micro")
  })

  it("has training options that are legal, and held-out rows that fill their batches", () => {
    for (const { training, testRows, testBatch, points } of Scale.all) {
      const { steps } = Training.make(training)
      assert.strictEqual(testRows % testBatch, 0)
      assert.isAtLeast(steps, points)
    }
  })

  it("has what shapes a cell in its spec, and nothing else", () => {
    const { spec, ...rest } = Scale.micro
    assert.deepStrictEqual(Scale.make({ ...rest, name: "other", seeds: 9 }).spec, spec)
    const changes: ReadonlyArray<Partial<Scale.Scale>> = [
      { points: 5 },
      { curveRows: 8 },
      { testRows: 256 },
      { testBatch: 64 },
      { small: true },
      { training: { steps: 7 } },
      { loss: { scale: "raw", reduce: "mean" } },
      { loss: { scale: "raw", reduce: "sum" } },
      { components: { learningRate: LearningRate.linearDecay({ peak: 1e-4, warmup: 0 }) } },
      { wide: { from: 0.5, learningRate: LearningRate.micro } },
      { wide: { from: 0.6, learningRate: LearningRate.micro } }
    ]
    const specs = [spec, ...changes.map((change) => Scale.make({ ...rest, ...change }).spec)]
    assert.lengthOf(new Set(specs.map((each) => JSON.stringify(each))), specs.length)
  })

  it("has at micro and smoke scale the specs that kept cells were hashed with", () => {
    const rest = { testRows: 1024, testBatch: 128, small: false }
    assert.deepStrictEqual(Scale.micro.spec, {
      name: "scale",
      version: 1,
      options: { training: {}, points: 20, curveRows: 64, ...rest }
    })
    const small = { curveRows: 32, testRows: 128, testBatch: 64, small: true }
    assert.deepStrictEqual(Scale.smoke.spec, {
      name: "scale",
      version: 1,
      options: { training: { steps: 40, pruneEvery: 10 }, points: 4, ...small }
    })
  })

  it("takes another component for no other spec, whatever order components are written in", () => {
    const { spec, components = {}, ...rest } = Scale.paper
    const { learningRate, optimizer } = components
    if (learningRate === undefined || optimizer === undefined) throw new Error("the paper's scale has all components")
    const other = Scale.make({ ...rest, components: { optimizer, learningRate } })
    assert.deepStrictEqual(other.spec, spec)
    assert.notDeepEqual(Scale.make({ ...rest, components: { learningRate } }).spec, spec)
    assert.notDeepEqual(Scale.make({ ...rest, components: { learningRate, optimizer: adamW() } }).spec, spec)
  })

  const planOf = (method: Method.Method) => Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method)))
  const lossOf = (plan: DistillPlan.DistillPlan) => Spec.describe(plan.loss.spec)
  const rateOf = (plan: DistillPlan.DistillPlan) => Spec.describe(plan.learningRate.spec)
  const setting = { scale: "raw", reduce: "sum" } as const

  it("puts HomoDistil in the paper's setting, and leaves every method as it is at micro scale", () => {
    const paper = Scale.planAt(Scale.paper, planOf(Method.homoDistil()))
    for (const scale of Scale.all) {
      const { training } = Scale.planAt(scale, planOf(Method.teacher()))
      assert.deepStrictEqual([training.steps, training.pruneEvery], [0, scale.training.pruneEvery ?? 10])
    }
    assert.strictEqual(lossOf(paper), Spec.describe(Loss.homoDistil(setting).spec))
    assert.strictEqual(paper.optimizer, Scale.paper.components?.optimizer)
    assert.deepStrictEqual([paper.training.steps, paper.training.rows], [28_000, 4096])
    for (const method of Object.values(Method.all)) {
      const plan = planOf(method({}))
      assert.deepStrictEqual(DistillPlan.spec(Scale.planAt(Scale.micro, plan)), DistillPlan.spec(plan))
      const { steps, pruneEvery } = Scale.smoke.training
      const smoke = { ...plan, training: Training.make({ steps: steps ?? 0, pruneEvery: pruneEvery ?? 0 }) }
      assert.deepStrictEqual(DistillPlan.spec(Scale.planAt(Scale.smoke, plan)), DistillPlan.spec(smoke))
    }
  })

  it("has the paper's rates: 3e-4 for students of HomoBERT-base's width or wider, 6e-4 for the smaller ones", () => {
    const rate = (ratio: number) => rateOf(Scale.planAt(Scale.paper, planOf(Method.homoDistil({ ratio }))))
    const of = (peak: number) => Spec.describe(LearningRate.linearDecay({ peak, warmup: 0.1 }).spec)
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1, noNaN: true }), (ratio) =>
        assert.strictEqual(rate(ratio), of(ratio >= 0.75 ? 3e-4 : 6e-4))
      )
    )
    const { hidden = 0 } = Architecture.rows.find(({ model }) => model === "HomoBERT-base") ?? {}
    assert.deepStrictEqual([hidden / 768, rate(hidden / 768), rate(256 / 768)], [0.75, of(3e-4), of(6e-4)])
  })

  it("keeps the weights and the given options of a loss, whatever is left open", () => {
    const weight = fc.constantFrom(0, 0.5, 1, 3)
    const weights = fc
      .record({ mlm: weight, kl: weight, hidden: weight, embedding: weight, attention: weight })
      .filter((each) => Object.values(each).some((w) => w > 0))
    const given = fc.record(
      { scale: fc.constantFrom("raw", "teacherVariance"), reduce: fc.constantFrom("mean", "sum") } as const,
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(weights, given, (terms, options) => {
        const plan = { ...planOf(Method.homoDistil()), loss: Loss.homoDistil({ ...terms, ...options }) }
        const wanted = Loss.homoDistil({ ...terms, ...setting, ...options })
        assert.strictEqual(lossOf(Scale.planAt(Scale.paper, plan)), Spec.describe(wanted.spec))
        assert.strictEqual(lossOf(Scale.planAt(Scale.paper, plan, ["loss"])), Spec.describe(wanted.spec))
        assert.strictEqual(Scale.planAt(Scale.minilm, plan).loss, plan.loss)
      })
    )
  })

  it("leaves a method's own loss as it is, and components that are varied, even where they are the micro setting", () => {
    const options = { name: "mine", title: "Mine", measure: [], seeds: 1 }
    const of = (experiment: Experiment.ExperimentOptions) =>
      Effect.runSync(ExperimentRows.of(experiment, Scale.paper)).map(({ plan }) => [lossOf(plan), rateOf(plan)])
    const paperRate = rateOf(Scale.planAt(Scale.paper, planOf(Method.homoDistil())))
    const method = { homoDistil: Method.homoDistil(), noTeacher: Method.noTeacher() }
    assert.deepEqual(of({ ...options, method, baseline: "homoDistil" }), [
      [Spec.describe(Loss.homoDistil(setting).spec), paperRate],
      [Spec.describe(Loss.maskedLm().spec), paperRate]
    ])
    const rates = [LearningRate.micro, LearningRate.linearDecay({ peak: 1, warmup: 0 })]
    const varied = { learningRate: rates.map(LearningRate.layer) }
    const [first = ""] = rates.map(({ spec }) => Spec.describe(spec))
    assert.deepEqual(
      of({ ...options, method: Method.homoDistil(), vary: varied, baseline: first }).map(([, rate]) => rate),
      rates.map(({ spec }) => Spec.describe(spec))
    )
  })

  it("gives every row of Table 5 the paper's setting, its weights aside", () => {
    const rows = Effect.runSync(ExperimentRows.of(table5, Scale.paper))
    const parts = rows.flatMap(({ plan }) => plan.loss.spec.parts ?? [])
    assert.isAbove(parts.filter(({ name }) => name === "attention").length, 3)
    for (const { name, options } of parts) {
      if (name === "attention") assert.deepStrictEqual(options, setting)
      if (name === "hidden") assert.deepStrictEqual(options, { reduce: "sum" })
    }
    const terms = rows.map(({ plan }) => plan.loss.terms.length)
    assert.deepStrictEqual(terms, [5, 4, 4, 4, 4, 4, 2, 1])
  })

  it("is refused where a batch is larger than a step takes", () => {
    for (const scale of [Scale.smoke, Scale.micro, Scale.minilm]) assert.isUndefined(Scale.refusal(scale))
    const { spec: _, ...rest } = Scale.micro
    const exactly = Scale.make({ ...rest, training: { rows: Scale.largestBatch / 64, length: 64 } })
    const more = Scale.make({ ...rest, training: { rows: Scale.largestBatch / 64 + 1, length: 64 } })
    assert.isUndefined(Scale.refusal(exactly))
    for (const scale of [more, Scale.paper]) assert.match(Scale.refusal(scale)?.message ?? "", /--plan/)
  })
})
