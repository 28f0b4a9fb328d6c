import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { Backend, Tensor, TfjsBackend } from "homodistil/backend"
import {
  Distiller,
  DistillPlan,
  LearningRate,
  Method,
  PruningMode,
  StepState,
  StudentInit,
  Training
} from "homodistil/distill"
import * as Scorer from "homodistil/importance"
import { BertConfig } from "homodistil/model"
import { PrunePlan } from "homodistil/pruning"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { batch, events, finalState, native, plan, teacher, totals } from "./samples.ts"

const scorers = {
  platon: Scorer.platon({ window: 3 }),
  sensitivity: Scorer.sensitivity({ window: 3 }),
  magnitude: Scorer.magnitude(),
  random: Scorer.random()
}

const arrays = (state: StepState.StepState): ReadonlyArray<readonly [string, Float32Array | Int32Array]> =>
  [
    ...Object.entries(state.train.params).map(([name, t]) => [`param ${name}`, t.data] as const),
    ...[state.train.moments, state.train.slots].flatMap((slots, kind) =>
      Object.entries(slots).flatMap(([slot, values]) =>
        Object.entries(values).map(([name, t]) => [`${kind} ${slot} ${name}`, t.data] as const)
      )
    )
  ].sort(([a], [b]) => (a < b ? -1 : 1))

const close = (a: ReadonlyArray<number>, b: ReadonlyArray<number>, relative: number) => {
  assert.strictEqual(a.length, b.length)
  a.forEach((x, i) => {
    const y = b[i] ?? Number.NaN
    assert.isAtMost(Math.abs(x - y), relative * Math.max(1, Math.abs(x)), `step ${i + 1}: ${x} against ${y}`)
  })
}

describe("a distillation", () => {
  it("starts without any distillation loss: student = teacher", async () => {
    const all = await native(events({ plan: plan() }))
    const first = all.find((event) => event._tag === "Stepped")
    assert.ok(first?._tag === "Stepped")
    for (const term of ["kl", "hidden", "embedding", "attention"])
      assert.isBelow(Math.abs(first.terms[term] ?? 1), 1e-6, term)
    assert.isAbove(first.terms["mlm"] ?? 0, 1)
  })

  it("of no steps is over as it begins, with the student as it starts", async () => {
    for (const seed of [0, 1]) {
      const untouched = Effect.runSync(DistillPlan.resolve.pipe(Effect.provide(Method.teacher())))
      const all = await native(events({ plan: untouched, seed: Seed.make(seed) }))
      assert.deepEqual(
        all.map(({ _tag }) => _tag),
        ["Started", "Snapshot"]
      )
      const model = StepState.model(finalState(all))
      assert.deepEqual(model.config, teacher.config)
      for (const [name, { data }] of Object.entries(teacher.parameters))
        assert.deepEqual(model.parameters[name]?.data, data, name)
    }
  })

  it("has no use for a teacher's pooler, and gives its student none", async () => {
    const pooler = {
      weight: Tensor.host(new Float32Array(256).fill(1), [16, 16]),
      bias: Tensor.host(Array(16).fill(1))
    }
    for (const mode of [PruningMode.hard, PruningMode.masked(), PruningMode.unstructured]) {
      const given = { teacher: { ...teacher, pooler }, seed: Seed.make(0), plan: plan(PruningMode.layer(mode)) }
      const state = Distiller.start(given)
      assert.deepEqual(state, Distiller.start({ ...given, teacher }))
      assert.notProperty(StepState.model(StepState.under(mode, state)), "pooler")
    }
  })

  it("is a function of its seed, to the byte, on two threads and heavily repeated tokens", async () => {
    const [one, two, other] = await Promise.all(
      [0, 0, 1].map((seed) => native(events({ plan: plan(Scorer.layer(scorers.platon)), seed: Seed.make(seed) })))
    )
    assert.deepEqual(arrays(finalState(one ?? [])), arrays(finalState(two ?? [])))
    assert.deepEqual(totals(one ?? []), totals(two ?? []))
    assert.notDeepEqual(totals(one ?? []), totals(other ?? []))
  })

  it("goes on from any step as if it had never stopped", async () => {
    const whole = await native(events({ plan: plan(Scorer.layer(scorers.platon)), snapshotAt: () => true }))
    const states = whole.flatMap((event) => (event._tag === "Snapshot" ? [event.state] : []))
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 11 }), async (at) => {
        const from = states.find(({ step }) => step === at)
        assert.ok(from !== undefined)
        const rest = await native(events({ plan: plan(Scorer.layer(scorers.platon)), from }))
        assert.deepEqual(arrays(finalState(rest)), arrays(finalState(whole)))
        assert.deepEqual(totals(rest), totals(whole).slice(at))
      }),
      { numRuns: 4 }
    )
  })

  it("replays: the plans of its events compose to the units that are left", async () => {
    const all = await native(events({ plan: plan(), snapshotAt: () => false }))
    const plans = all.flatMap((event) => (event._tag === "Pruned" ? [event.plan] : []))
    assert.isAtLeast(plans.length, 2)
    const state = finalState(all)
    assert.deepEqual(plans.reduce(PrunePlan.compose, PrunePlan.identity), state.kept)
    const last = all.findLast((event) => event._tag === "Pruned")
    assert.ok(last?._tag === "Pruned")
    assert.strictEqual(last.widths["hidden"], StepState.config(state).hidden)
    assert.strictEqual(last.widths["hidden"], 4)
  })

  for (const [name, scorer] of Object.entries(scorers))
    it(`masked without regrowth equals cut: ${name}`, async () => {
      const hard = await native(events({ plan: plan(Scorer.layer(scorer)) }))
      const masked = await native(events({ plan: plan(Scorer.layer(scorer), PruningMode.layer(PruningMode.masked())) }))
      close(totals(hard), totals(masked), 1e-4)
      assert.deepEqual(finalState(hard).kept, finalState(masked).kept)
      const [cut, silenced] = [StepState.model(finalState(hard)), StepState.model(finalState(masked))]
      assert.isTrue(silenced.keptHidden !== undefined)
      const name2 = "bert.encoder.layer.1.intermediate.dense.weight"
      const kept = [...(silenced.parameters[name2]?.data ?? [])].filter((x) => x !== 0)
      close([...(cut.parameters[name2]?.data ?? [])], kept, 1e-3)
    })

  it("lets masked units come back with regrowth, and never without", async () => {
    const run = (mode: PruningMode.PruningMode) =>
      native(events({ plan: plan(Scorer.layer(Scorer.random()), PruningMode.layer(mode)), snapshotAt: () => true }))
    const returns = async (mode: PruningMode.PruningMode) => {
      const units = (await run(mode)).flatMap((event) =>
        event._tag === "Snapshot" ? [new Set(event.state.kept.kept.get("layer.0.ffn") ?? [])] : []
      )
      return units.some(
        (now, i) =>
          i > 0 && (units[i - 1]?.size ?? 0) > 0 && [...now].some((unit) => !(units[i - 1]?.has(unit) ?? true))
      )
    }
    assert.isTrue(await returns(PruningMode.masked({ regrowth: true })))
    assert.isFalse(await returns(PruningMode.masked()))
  })

  it("compiled equals eager: losses and weights over pruning events", async () => {
    const short = Training.layer(Training.make({ steps: 4, rows: 4, length: 10, pruneEvery: 2 }))
    const compiled = await native(events({ plan: plan(Scorer.layer(scorers.platon), short) }))
    const eager = await Effect.runPromise(
      events({ plan: plan(Scorer.layer(scorers.platon), short) }).pipe(Effect.provide(TfjsBackend.layer("cpu")))
    )
    close(totals(compiled), totals(eager), 1e-4)
    const [a, b] = [arrays(finalState(compiled)), arrays(finalState(eager))]
    assert.deepEqual(
      a.map(([key]) => key),
      b.map(([key]) => key)
    )
    a.forEach(([key, values], i) => close([...values], [...(b[i]?.[1] ?? [])], key.startsWith("param") ? 2e-3 : 1e-3))
  })

  it("prunes nothing of a student that starts at its final size", async () => {
    const all = await native(events({ plan: plan(StudentInit.layer(StudentInit.random)) }))
    assert.isFalse(all.some((event) => event._tag === "Pruned"))
    assert.deepInclude(all[0], { _tag: "Started" })
    assert.strictEqual(StepState.config(finalState(all)).hidden, 4)
  })

  it("leaves no tensor and no session behind, however it ends", async () => {
    const ends = {
      whole: events({ plan: plan() }),
      interrupted: Stream.runCollect(
        Distiller.run({ plan: plan(), teacher, seed: Seed.make(0), batch, snapshotAt: () => false }).pipe(
          Stream.take(6)
        )
      ),
      diverged: Effect.exit(
        events({ plan: plan(LearningRate.layer(LearningRate.linearDecay({ peak: 1e30, warmup: 0 }))) })
      )
    }
    for (const [name, end] of Object.entries(ends)) {
      const live = await native(
        Effect.gen(function* () {
          const backend = yield* Backend
          yield* end
          return yield* backend.live
        })
      )
      assert.deepEqual(live, { tensors: 0, sessions: 0 }, name)
    }
  })

  it("reports a loss that is no number with its step", async () => {
    const exit = await native(
      Effect.exit(events({ plan: plan(LearningRate.layer(LearningRate.linearDecay({ peak: 1e30, warmup: 0 }))) }))
    )
    assert.isTrue(Exit.isFailure(exit))
    assert.match(JSON.stringify(exit), /Diverged/)
  })

  it("cuts weights, moments, scorer slots and projections alike", async () => {
    const state = finalState(await native(events({ plan: plan() })))
    const shapes = new Map(Object.entries(state.train.params).map(([name, t]) => [name, t.shape]))
    for (const slots of [state.train.moments, state.train.slots])
      for (const values of Object.values(slots))
        for (const [name, t] of Object.entries(values)) assert.deepEqual(t.shape, shapes.get(name), name)
    assert.deepEqual(shapes.get("projection.layer.0.weight"), [4, 16])
    assert.strictEqual(BertConfig.axes(StepState.config(state)).get("layer.0.ffn")?.size, 6)
  })
})
