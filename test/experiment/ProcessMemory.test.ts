import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { DistillPlan, Method, Training } from "homodistil/distill"
import { CellCost, ProcessMemory, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import { BertConfig } from "homodistil/model"
import { assert, describe, it } from "vitest"

const costOf = (scale: Scale.Scale, scorer: Scorer.ImportanceScorer, method = Method.homoDistil()) =>
  CellCost.of(
    Scale.planAt(scale, { ...Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method))), scorer }),
    BertConfig.micro
  )

const bytes = (costs: ReadonlyArray<CellCost.CellCost>, scale: Scale.Scale): number =>
  ProcessMemory.bytes(ProcessMemory.of(costs, BertConfig.micro, scale))

const table6 = [
  Scorer.magnitude(),
  Scorer.random(),
  Scorer.gradient(),
  Scorer.movement(),
  Scorer.taylor(),
  Scorer.fisher(),
  Scorer.sensitivity(),
  Scorer.platon()
]

const kibibyte = 1024

describe("ProcessMemory", () => {
  it("keeps the teacher's last states where nothing is masked, and no logits", () => {
    const plan = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.tinyBert())))
    const whole = { ...plan, training: Training.make({ maskRate: 0 }) }
    const { references, heldOut } = ProcessMemory.of(
      [CellCost.of(whole, BertConfig.micro)],
      BertConfig.micro,
      Scale.micro
    )
    assert.deepEqual([references, heldOut], [4 * (64 + 1024) * 64 * 128, 0])
  })

  // maximum resident set of `reproduce --jobs 1` on Linux, Node 24
  const measured: ReadonlyArray<
    readonly [name: string, scale: Scale.Scale, scorers: typeof table6, kibibytes: number]
  > = [
    ["one smoke cell", Scale.smoke, [Scorer.platon()], 620_140],
    ["one micro cell", Scale.micro, [Scorer.platon()], 897_556],
    ["the eight micro cells of a seed of Table 6", Scale.micro, table6, 1_257_052]
  ]
  for (const [name, scale, scorers, kibibytes] of measured)
    it(`is within an eighth of what was measured of ${name}`, () => {
      const said = bytes(
        scorers.map((scorer) => costOf(scale, scorer)),
        scale
      )
      assert.closeTo(said / (kibibytes * kibibyte), 1, 0.125)
    })

  it("holds the teacher's logits on every held-out row, at the masked places", () => {
    const cost = costOf(Scale.micro, Scorer.magnitude())
    const { references } = ProcessMemory.of([cost], BertConfig.micro, Scale.micro)
    // 64 + 1,024 rows with 9 masked pieces of 62
    assert.strictEqual(references, 4 * (64 + 1024) * 9 * 4096)
  })

  it("grows with every student, by less than a process of its own", () =>
    fc.assert(
      fc.property(fc.subarray(table6, { minLength: 1 }), fc.constantFrom(...table6), (scorers, more) => {
        const costs = scorers.map((scorer) => costOf(Scale.micro, scorer))
        const one = costOf(Scale.micro, more)
        const [few, many] = [bytes(costs, Scale.micro), bytes([...costs, one], Scale.micro)]
        assert.isAbove(many, few)
        assert.isBelow(many - few, bytes([one], Scale.micro) / 4)
      }),
      { numRuns: 10 }
    ))

  it("has nothing left over from shapes where there is one", () => {
    const random = costOf(Scale.micro, Scorer.platon(), Method.randomStudent())
    assert.strictEqual(ProcessMemory.of([random], BertConfig.micro, Scale.micro).outgrown, 0)
  })

  it("is the program alone where nothing is run", () =>
    assert.strictEqual(bytes([], Scale.smoke), ProcessMemory.of([], BertConfig.micro, Scale.smoke).program))
})
