import { Distiller, PruningMode, StepState, StudentStep } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { config, events, finalState, native, plan, teacher } from "./samples.ts"

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

  it.each([
    ["platon", Scorer.platon()],
    ["sensitivity", Scorer.sensitivity()]
  ])("leaves silenced units silent, to the bit: in weights, moments and what %s remembers", async (_, scorer) => {
    const masking = plan(PruningMode.layer(PruningMode.masked()), Scorer.layer(scorer))
    const state = finalState(await native(events({ plan: masking })))
    // steps have followed the last pruning, and silencing again changes nothing
    assert.isTrue(StepState.isSilenced(state))
    assert.isBelow(StepState.config(state).hidden, config.hidden)
    const specs = StudentStep.parameterSpecs(masking, config)
    assert.deepEqual(StepState.silence(state, specs, PrunePlan.identity).train, state.train)
    const trained = Object.values(state.train.moments).flatMap((tensors) => Object.values(tensors))
    assert.isTrue(trained.some(({ data }) => data.some((x) => x !== 0)))
  })

  it("keeps the weights of silenced units where they may come back", async () => {
    const regrowing = plan(PruningMode.layer(PruningMode.masked({ regrowth: true })))
    const state = finalState(await native(events({ plan: regrowing })))
    const specs = StudentStep.parameterSpecs(regrowing, config)
    assert.notDeepEqual(StepState.silence(state, specs, PrunePlan.identity).train.params, state.train.params)
  })
})
