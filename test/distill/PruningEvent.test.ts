import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Distiller, PruningEvent, PruningMode, StepState, StudentStep } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { Granularity } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { plan, teacher } from "./samples.ts"

const seed = Seed.make(0)
const magnitude = plan(Scorer.layer(Scorer.magnitude()))
const state = Distiller.start({ plan: magnitude, teacher, seed })

/** The sum of |w| over every weight of a feed-forward unit, by plain loops. */
const ffnMagnitude = (unit: number, producersOnly: boolean): number => {
  const at = (name: string) => teacher.parameters[`bert.encoder.layer.0.${name}`]?.data ?? new Float32Array(0)
  const [weight, bias, next] = [
    at("intermediate.dense.weight"),
    at("intermediate.dense.bias"),
    at("output.dense.weight")
  ]
  let sum = Math.abs(bias[unit] ?? 0)
  for (let j = 0; j < 16; j++) sum += Math.abs(weight[unit * 16 + j] ?? 0)
  if (!producersOnly) for (let j = 0; j < 16; j++) sum += Math.abs(next[j * 24 + unit] ?? 0)
  return sum
}

describe("a pruning event", () => {
  it("is due every so many steps and when the ratio becomes final, and goes on after that", () => {
    const ratio = magnitude.ratio.over(12)
    const due = Array.from({ length: 12 }, (_, i) => i + 1).filter((done) => PruningEvent.isDue(magnitude, ratio, done))
    assert.deepEqual(due, [3, 6, 9, 12])
    assert.strictEqual(ratio.ends, 9)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 600 }),
        (steps, pruneEvery, done) => {
          const every = { ...magnitude, training: { ...magnitude.training, pruneEvery } }
          const expected = done % pruneEvery === 0 || done === Math.ceil(0.7 * steps)
          assert.strictEqual(PruningEvent.isDue(every, magnitude.ratio.over(steps), done), expected)
        }
      )
    )
  })

  it("scores a unit by all weights that go with it, or by those that produce it", async () => {
    for (const producers of [false, true]) {
      const chosen = plan(
        Scorer.layer(Scorer.magnitude()),
        ...(producers ? [Granularity.layer(Granularity.producers())] : [])
      )
      const scores = (await Effect.runPromise(PruningEvent.unitScores(chosen, state, seed))).get("layer.0.ffn")
      for (const unit of [0, 5, 23])
        assert.approximately(scores?.[unit] ?? 0, ffnMagnitude(unit, producers), 1e-3, `unit ${unit}`)
    }
  })

  it("keeps the best, and the same ones whether it cuts or masks", async () => {
    const hard = await Effect.runPromise(PruningEvent.prune(magnitude, state, 0.5, seed))
    const masking = plan(Scorer.layer(Scorer.magnitude()), PruningMode.layer(PruningMode.masked()))
    const masked = await Effect.runPromise(PruningEvent.prune(masking, { ...state, masked: true }, 0.5, seed))
    assert.deepEqual(hard.plan, masked.plan)
    const specs = StudentStep.parameterSpecs(magnitude, state.config)
    assert.deepEqual(StepState.cut({ ...masked.state, kept: state.kept }, specs, hard.plan).train, hard.state.train)
    const kept = [...(hard.plan.kept.get("layer.0.ffn") ?? [])]
    assert.strictEqual(kept.length, 12)
    const worstKept = Math.min(...kept.map((unit) => ffnMagnitude(unit, false)))
    for (let unit = 0; unit < 24; unit++)
      if (!kept.includes(unit)) assert.isAtMost(ffnMagnitude(unit, false), worstKept + 1e-4)
    assert.strictEqual(StepState.config(hard.state).hidden, 8)
  })

  it("lets what may come back keep its weights", async () => {
    const regrowing = plan(Scorer.layer(Scorer.magnitude()), PruningMode.layer(PruningMode.masked({ regrowth: true })))
    const pruned = await Effect.runPromise(PruningEvent.prune(regrowing, { ...state, masked: true }, 0.5, seed))
    assert.strictEqual(pruned.state.train, state.train)
    assert.deepEqual(pruned.state.kept, pruned.plan)
  })

  it("knows without scores whether anything would go", () => {
    assert.isTrue(PruningEvent.shrinks(magnitude, state, 0.5))
    assert.isFalse(PruningEvent.shrinks(magnitude, state, 1))
  })
})
