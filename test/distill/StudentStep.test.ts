import { Distiller, PruningMode, StudentStep } from "homodistil/distill"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { config, plan, teacher } from "./samples.ts"

describe("the distillation step", () => {
  it("trains projections beside the student, and scores only what can be pruned", () => {
    const names = StudentStep.parameterSpecs(plan(), config).map(({ name }) => name)
    assert.includeMembers(names, ["projection.layer.1.weight", "cls.predictions.bias"])
    const watched = StudentStep.watched(config).map(({ name }) => name)
    assert.include(watched, "bert.embeddings.word_embeddings.weight")
    assert.notInclude(watched, "cls.predictions.bias")
    assert.isFalse(watched.some((name) => name.startsWith("projection")))
  })

  it("takes masks only where units are masked", () => {
    const state = Distiller.start({ plan: plan(), teacher, seed: Seed.make(0) })
    assert.deepEqual(StudentStep.masks(state), {})
    const masked = { ...state, masked: plan(PruningMode.layer(PruningMode.masked())).mode.masked }
    const masks = StudentStep.masks({ ...masked, kept: PrunePlan.of({ hidden: [1, 3] }) })
    assert.deepEqual([...(masks["hidden"]?.data ?? [])].slice(0, 5), [0, 1, 0, 1, 0])
    assert.isTrue(masks["layer.0.ffn"]?.data.every((x) => x === 1))
  })
})
