import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DistillPlan, LearningRate, Method, Training } from "homodistil/distill"
import { Experiment, Scale } from "homodistil/experiment"
import * as Loss from "homodistil/loss"
import { adamW } from "homodistil/optimizer"
import { Spec } from "homodistil/spec"

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
      { components: { learningRate: LearningRate.linearDecay({ peak: 1e-4, warmup: 0 }) } }
    ]
    for (const change of changes) assert.notDeepEqual(Scale.make({ ...rest, ...change }).spec, spec)
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
    const { learningRate, loss, optimizer } = components
    if (learningRate === undefined || loss === undefined || optimizer === undefined)
      throw new Error("the paper's scale has all components")
    const other = Scale.make({ ...rest, components: { optimizer, loss, learningRate } })
    assert.deepStrictEqual(other.spec, spec)
    assert.notDeepEqual(Scale.make({ ...rest, components: { loss, learningRate } }).spec, spec)
    assert.notDeepEqual(Scale.make({ ...rest, components: { loss, learningRate, optimizer: adamW() } }).spec, spec)
  })

  it("replaces what HomoDistil provides, and what it replaces is that", () => {
    const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil())))
    for (const name of ["learningRate", "loss", "optimizer"] as const)
      assert.strictEqual(Scale.component(Scale.paper, name, plan[name]), Scale.paper.components?.[name])
    for (const scale of [Scale.micro, Scale.smoke])
      assert.strictEqual(Scale.component(scale, "loss", plan.loss), plan.loss)
  })

  it("leaves a method's own loss and what is varied as they are, even where that is the micro setting", () => {
    const options = { name: "mine", title: "Mine", measure: [], seeds: 1 }
    const of = (experiment: Experiment.ExperimentOptions) =>
      Effect.runSync(Experiment.rows(experiment, Scale.paper)).map(({ plan }) => [
        Spec.describe(plan.loss.spec),
        Spec.describe(plan.learningRate.spec),
        plan.training.steps
      ])
    const paper = Scale.paper.components ?? {}
    const [loss, rate] = [paper.loss?.spec, paper.learningRate?.spec].map((spec) => (spec ? Spec.describe(spec) : ""))
    const method = { homoDistil: Method.homoDistil(), noTeacher: Method.noTeacher() }
    assert.deepEqual(of({ ...options, method, baseline: "homoDistil" }), [
      [loss, rate, 28_000],
      [Spec.describe(Loss.maskedLm().spec), rate, 28_000]
    ])
    const varied = [Loss.homoDistil(), Loss.homoDistil({ mlm: 0 })]
    const vary = { loss: varied.map(Loss.layer) }
    const [first, second] = varied.map(({ spec }) => Spec.describe(spec))
    assert.deepEqual(
      of({ ...options, method: Method.homoDistil(), vary, baseline: Spec.describe(Loss.homoDistil().spec) }),
      [
        [first, rate, 28_000],
        [second, rate, 28_000]
      ]
    )
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
