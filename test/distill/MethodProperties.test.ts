import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DistillPlan, Method, PruningMode } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { Granularity, RemainingRatio } from "homodistil/pruning"
import { assert, describe, it } from "vitest"

describe("the properties of methods", () => {
  const row = (method: Method.Method) =>
    Method.properties(Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(method))))
  const plain = { taskAgnostic: true }

  it("are read off their parts", () => {
    const whole = ["mlm", "kl", "hidden", "embedding", "attention"]
    const pruned = { ...plain, initialisation: "from teacher", granularity: "units, scored by their users" }
    const small = { ...plain, pruning: "none", criterion: "none", granularity: "none" } as const
    const rows = Object.fromEntries(Object.entries(Method.all).map(([name, method]) => [name, row(method())]))
    const expected: { readonly [name: string]: Method.MethodProperties } = {
      homoDistil: { ...pruned, pruning: "iterative", criterion: "platon", losses: whole, teacher: true },
      tinyBert: { ...small, initialisation: "random", losses: ["attention", "hidden", "embedding"], teacher: true },
      miniLm: {
        ...small,
        initialisation: "random",
        losses: ["attention distribution", "value relation"],
        teacher: true
      },
      distilBert: { ...small, initialisation: "every other", losses: ["kl", "mlm", "cosine"], teacher: true },
      randomStudent: { ...small, initialisation: "random", losses: whole, teacher: true },
      oneShot: { ...pruned, pruning: "one-shot", criterion: "sensitivity", losses: whole, teacher: true },
      noTeacher: { ...pruned, pruning: "iterative", criterion: "platon", losses: ["mlm"], teacher: false },
      platonUnstructured: {
        ...pruned,
        pruning: "iterative",
        criterion: "platon",
        granularity: "single weights",
        losses: ["mlm"],
        teacher: false
      }
    }
    assert.deepEqual(rows, expected)
  })

  it("follow whatever is replaced, so a method of one's own has its row", () => {
    const own = Layer.mergeAll(
      Method.homoDistil({ granularity: Granularity.producers() }),
      Scorer.layer(Scorer.magnitude()),
      PruningMode.layer(PruningMode.masked()),
      RemainingRatio.layer(RemainingRatio.constant())
    )
    assert.strictEqual(row(own).pruning, "none")
    const falling = Layer.merge(own, RemainingRatio.layer(RemainingRatio.linear({ final: 0.5 })))
    assert.deepInclude(row(falling), {
      pruning: "iterative",
      criterion: "magnitude",
      granularity: "masked units, scored by their producers"
    })
    const stairs = RemainingRatio.staircase(300, RemainingRatio.linear({ final: 0.5, end: 1 }))
    assert.strictEqual(row(Layer.merge(own, RemainingRatio.layer(stairs))).pruning, "iterative")
    assert.isTrue(row(Layer.merge(own, Loss.layer(Loss.scale(2, Loss.sum(Loss.maskedLm(), Loss.kl()))))).teacher)
    assert.isFalse(row(Layer.merge(own, Loss.layer(Loss.scale(2, Loss.sum(Loss.maskedLm()))))).teacher)
  })
})
