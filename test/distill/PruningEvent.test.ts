import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Distiller, PruningEvent, PruningMode, StepState, StudentStep, Training } from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { Granularity } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { events, native, plan, teacher, training } from "./samples.ts"

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
        fc.integer({ min: 1, max: 50 }),
        (steps, pruneEvery, done, window) => {
          const scorer = Scorer.platon({ window })
          const every = { ...magnitude, scorer, training: { ...magnitude.training, pruneEvery } }
          const expected = done >= window && (done % pruneEvery === 0 || done === Math.ceil(0.7 * steps))
          assert.strictEqual(PruningEvent.isDue(every, magnitude.ratio.over(steps), done), expected)
        }
      )
    )
  })

  it("waits for the scorer's first scores, and leaves the same widths", async () => {
    const waiting = plan(Scorer.layer(Scorer.platon({ window: 5 })))
    const pruned = (await native(events({ plan: waiting }))).flatMap((event) =>
      event._tag === "Pruned" ? [event] : []
    )
    assert.deepEqual(
      pruned.map(({ step }) => step),
      [6]
    )
    for (const { scores } of pruned)
      for (const [axis, values] of scores)
        assert.isTrue(
          values.some((score) => score > 0),
          axis
        )
    const others = (await native(events({ plan: magnitude }))).findLast((event) => event._tag === "Pruned")
    assert.ok(others?._tag === "Pruned")
    assert.deepEqual(pruned.at(-1)?.widths, others.widths)
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

  it("zeroes single weights, all matrices ranked together, and the rest stays", async () => {
    const single = plan(Scorer.layer(Scorer.magnitude()), PruningMode.layer(PruningMode.unstructured))
    const matrices = StudentStep.matrices(state.config).map(({ name }) => name)
    assert.includeMembers(matrices, [
      "bert.embeddings.word_embeddings.weight",
      "cls.predictions.transform.dense.weight"
    ])
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.01, max: 0.99, noNaN: true }), async (ratio) => {
        const {
          state: after,
          plan: chosen,
          scores
        } = await Effect.runPromise(PruningEvent.prune(single, state, ratio, seed))
        assert.deepEqual([chosen.kept.size, scores.size], [0, 0])
        assert.strictEqual(after.train.moments, state.train.moments)
        assert.strictEqual(after.train.slots, state.train.slots)
        let [zeros, all, kept, gone] = [0, 0, Number.POSITIVE_INFINITY, 0]
        for (const [name, { data }] of Object.entries(after.train.params)) {
          const before = state.train.params[name]
          if (!matrices.includes(name)) assert.strictEqual(after.train.params[name], before)
          else
            data.forEach((x, i) => {
              const was = Math.abs(before?.data[i] ?? 0)
              all++
              if (x === 0) zeros++
              if (x === 0) gone = Math.max(gone, was)
              else kept = Math.min(kept, was)
              if (x !== 0) assert.strictEqual(x, before?.data[i])
            })
        }
        assert.isAtMost(gone, kept)
        // two equal numbers among 24-bit draws are possible, but few
        assert.isAtMost(Math.abs(zeros - (1 - ratio) * all), 2)
        const { parameters } = StepState
        const sparse = StepState.under(PruningMode.unstructured, after)
        assert.strictEqual(parameters({ ...state, train: after.train }) - parameters(sparse), zeros)
      }),
      { numRuns: 10 }
    )
  })

  it("zeroes single weights after the last step, and zeroed weights come back in between", async () => {
    const single = plan(
      Scorer.layer(Scorer.sensitivity({ window: 1 })),
      PruningMode.layer(PruningMode.unstructured),
      Training.layer(Training.make({ ...training, steps: 11 }))
    )
    const all = await native(events({ plan: single, snapshotAt: () => true }))
    const pruned = all.flatMap((event) => (event._tag === "Pruned" ? [event.step] : []))
    assert.deepEqual(pruned, [3, 6, 8, 9, 11])
    const states = all.flatMap((event) => (event._tag === "Snapshot" ? [event.state] : []))
    const left = states.map(StepState.parameters)
    assert.isAbove(left[10] ?? 0, left[9] ?? 0)
    const total = StudentStep.matrices(state.config).reduce(
      (sum, { name }) => sum + (state.train.params[name]?.data.length ?? 0),
      0
    )
    const whole = left[0] ?? 0
    for (const event of all)
      if (event._tag === "Pruned") {
        assert.strictEqual(event.parameters, left[event.step])
        assert.isAtMost(Math.abs(whole - event.parameters - (1 - event.ratio) * total), 1, `step ${event.step}`)
      }
    const zeroAt = (step: number, name: string) =>
      [...(states[step]?.train.params[name]?.data ?? [])].map((x) => x === 0)
    const revived = StudentStep.matrices(state.config).filter(({ name }) =>
      pruned.some((later, i) => {
        const [before, after] = [zeroAt(pruned[i - 1] ?? 0, name), zeroAt(later, name)]
        return before.some((zero, k) => zero && after[k] === false)
      })
    )
    assert.isAbove(revived.length, 0)
  })
})
