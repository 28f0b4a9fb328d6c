import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DistillPlan, Method, PruningMode } from "homodistil/distill"
import { Spec } from "homodistil/spec"
import * as DistillSettings from "../../src/cli/DistillSettings.ts"

/** What a command line without settings gives. */
const defaults: DistillSettings.Options = {
  scorer: "platon",
  window: Option.none(),
  beta1: Option.none(),
  beta2: Option.none(),
  ratio: Option.none(),
  schedule: "cubic",
  start: Option.none(),
  end: Option.none(),
  pruneEvery: 10,
  steps: 400,
  batch: 16,
  learningRate: 6e-3,
  mode: "hard",
  loss: "homodistil",
  attentionScale: "teacherVariance",
  seed: 0
}

const plan = (changes: Partial<DistillSettings.Options> = {}) =>
  Effect.runSync(DistillSettings.plan({ ...defaults, ...changes }))

/** The components of a plan in words. */
const inWords = (plan: DistillPlan.DistillPlan): ReadonlyMap<string, string> => {
  const parts: ReadonlyArray<readonly [string, { readonly spec: Spec.Spec }]> = Object.entries(plan)
  return new Map(parts.map(([name, { spec }]) => [name, Spec.describe(spec)]))
}

describe("DistillSettings.plan", () => {
  it("is HomoDistil's unless told otherwise: the PLATON row of Table 6", () =>
    assert.deepStrictEqual(
      DistillPlan.spec(plan()),
      DistillPlan.spec(Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.homoDistil()))))
    ))

  const changes: { readonly [component: string]: readonly [Partial<DistillSettings.Options>, RegExp] } = {
    scorer: [{ scorer: "taylor", window: Option.some(3) }, /^taylor\(window: 3\)$/],
    ratio: [
      { schedule: "linear", ratio: Option.some(0.5), start: Option.some(0.1), end: Option.some(0.9) },
      /^linear\(final: 0.5, start: 0.1, end: 0.9/
    ],
    mode: [{ mode: "regrowth" }, /^masked\(regrowth: true\)$/],
    loss: [{ attentionScale: "raw" }, /attention\(scale: raw/],
    training: [{ steps: 17, batch: 3, pruneEvery: 2 }, /^training\(steps: 17, rows: 3, .*pruneEvery: 2/],
    learningRate: [{ learningRate: 0.01 }, /peak: 0.01/]
  }
  it.each(Object.keys(changes))("takes the %s that is asked for, and leaves the rest", (component) => {
    const [change, wanted] = changes[component] ?? [{}, /never/]
    const all = inWords(plan(change))
    assert.match(all.get(component) ?? "", wanted)
    for (const [name, text] of inWords(plan())) if (name !== component) assert.strictEqual(all.get(name), text)
  })

  it("refuses a run that is over before there are scores to prune by, and names the flag", () => {
    const made = Effect.runSync(Effect.flip(DistillSettings.plan({ ...defaults, steps: 9 })))
    assert.match(
      made.message,
      /^--steps = 9: must be enough for the last pruning.*platon\(window: 10.* none before step 10/
    )
    assert.strictEqual(plan({ steps: 9, scorer: "magnitude" }).training.steps, 9)
    assert.strictEqual(plan({ steps: 9, schedule: "constant" }).training.steps, 9)
  })

  it("has losses of features alone, for which text is left whole", () => {
    const features = plan({ loss: "features" })
    assert.deepStrictEqual(features.loss.terms, ["hidden", "embedding", "attention"])
    assert.match(Spec.describe(plan({ loss: "features", attentionScale: "raw" }).loss.spec), /attention\(scale: raw/)
    const relations = plan({ loss: "relations" })
    assert.deepStrictEqual(relations.loss.terms, ["attentionDistribution", "valueRelation"])
    assert.strictEqual(relations.projection.start, "none")
    assert.deepStrictEqual(
      [plan(), features, relations].map((one) => [DistillSettings.predicts(one), one.training.maskRate]),
      [
        [true, 0.15],
        [false, 0],
        [false, 0]
      ]
    )
    const refused = (changes: Partial<DistillSettings.Options>) =>
      Effect.runSync(Effect.flip(DistillSettings.plan({ ...defaults, ...changes }))).message
    assert.match(refused({ loss: "logits" }), /^--loss = logits: must be one of homodistil, features, relations/)
    assert.match(refused({ loss: "relations", attentionScale: "raw" }), /^--attention-scale = raw: must be left out/)
  })

  it("has the modes of pruning by name", () =>
    assert.deepStrictEqual(
      ["hard", "masked", "regrowth", "unstructured"].map((mode) => plan({ mode }).mode),
      [PruningMode.hard, PruningMode.masked(), PruningMode.masked({ regrowth: true }), PruningMode.unstructured]
    ))

  it("prunes at once, or not at all", () => {
    assert.strictEqual(
      plan({ schedule: "one-shot", ratio: Option.some(0.5) })
        .ratio.over(10)
        .at(1),
      0.5
    )
    assert.strictEqual(plan({ schedule: "constant" }).ratio.over(10).at(10), 1)
  })

  it("refuses what a schedule does not take", () => {
    const { message } = Effect.runSync(
      Effect.flip(DistillSettings.plan({ ...defaults, schedule: "one-shot", end: Option.some(0.5) }))
    )
    assert.match(message, /^--end = 0.5: must be left out with --schedule one-shot/)
  })

  it("is written as the flags it was given", () =>
    assert.deepInclude(DistillSettings.written({ ...defaults, ratio: Option.some(0.5) }), {
      ratio: 0.5,
      window: undefined,
      "learning-rate": 6e-3
    }))
})
