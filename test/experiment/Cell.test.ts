import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LearningRate, PruningMode, StudentInit, Training } from "homodistil/distill"
import { Measure } from "homodistil/evaluate"
import { Cell, Runner, Scale } from "homodistil/experiment"
import * as Scorer from "homodistil/importance"
import * as Loss from "homodistil/loss"
import { RemainingRatio } from "homodistil/pruning"
import { Spec } from "homodistil/spec"
import { runner, scale } from "./toy.ts"

const cell = await Effect.runPromise(
  Effect.flatMap(Runner.plan(runner().options), ([first]) => Effect.fromNullishOr(first))
)
const { spec } = cell

describe("the key of a cell", () => {
  it("is that of its spec", () => {
    assert.strictEqual(cell.key, Cell.key(spec))
    assert.strictEqual(Cell.key({ ...spec }), cell.key)
  })

  const { plan } = spec
  const changes: { readonly [what: string]: Cell.CellSpec } = {
    seed: { ...spec, seed: 1 },
    teacher: { ...spec, teacher: "another" },
    dataset: { ...spec, dataset: Spec.make("another") },
    backend: { ...spec, backend: Spec.make("onnx", { options: { threads: 2 } }) },
    scale: { ...spec, scale: Scale.make({ ...scale, points: 3 }) },
    measures: { ...spec, measures: [Measure.heldOut()] },
    scorer: { ...spec, plan: { ...plan, scorer: Scorer.random() } },
    loss: { ...spec, plan: { ...plan, loss: Loss.homoDistil({ kl: 2 }) } },
    ratio: { ...spec, plan: { ...plan, ratio: RemainingRatio.cubic({ final: 0.3 }) } },
    "learning rate": {
      ...spec,
      plan: { ...plan, learningRate: LearningRate.linearDecay({ peak: 1e-3, warmup: 0.05 }) }
    },
    student: { ...spec, plan: { ...plan, student: StudentInit.random } },
    mode: { ...spec, plan: { ...plan, mode: PruningMode.masked() } },
    training: { ...spec, plan: { ...plan, training: Training.make({ steps: 7 }) } },
    "a scorer's version": {
      ...spec,
      plan: {
        ...plan,
        scorer: { ...plan.scorer, spec: { ...plan.scorer.spec, version: plan.scorer.spec.version + 1 } }
      }
    }
  }

  it.each(Object.keys(changes))("is another when %s is", (what) => {
    const changed = changes[what]
    assert.isDefined(changed)
    if (changed !== undefined) assert.notStrictEqual(Cell.key(changed), cell.key)
  })

  it("stands on what was really provided: it names every component of the plan", () => {
    const text = JSON.stringify(Cell.describe(spec))
    const parts: ReadonlyArray<{ readonly spec: Spec.Spec }> = Object.values(plan)
    for (const part of parts) assert.include(text, JSON.stringify(part.spec.name))
  })
})
