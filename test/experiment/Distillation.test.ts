import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { PruningMode } from "homodistil/distill"
import { type CellEvent, CellRun, Distillation, Experiment, Laboratory, Runner, RunStore } from "homodistil/experiment"
import { Measure } from "homodistil/evaluate"
import * as Scorer from "homodistil/importance"
import { Spec } from "homodistil/spec"
import { experiment, machine, materials, numbers, remembering, run, runner, runOne, scale } from "./toy.ts"

describe("isPoint", () => {
  it("is the start, the end, and as many as asked for between", () => {
    const at = (steps: number, points: number) =>
      Array.from({ length: steps + 1 }, (_, done) => done).filter(Distillation.isPoint(steps, points))
    assert.deepStrictEqual(at(6, 2), [0, 3, 6])
    assert.strictEqual(at(400, 20).length, 21)
    assert.deepStrictEqual(at(2, 20), [0, 1, 2])
  })
})

const trajectory = { points: 3, measure: experiment.measure }

/** Runs a cell; interrupted at the n-th event of each life until there are no more such numbers. */
const livesOf = (cuts: ReadonlyArray<number>, options: Partial<Experiment.ExperimentOptions> = {}) =>
  run(
    Effect.gen(function* () {
      const [cell] = yield* Runner.plan(
        runner({ experiment: Experiment.make({ ...experiment, trajectory, ...options }) }).options
      )
      const { spec } = yield* Effect.fromNullishOr(cell)
      const laboratory = yield* Laboratory.make({ ...materials, scale })
      const { claim, lines } = remembering()
      let interrupted = 0
      for (const cut of cuts) {
        let seen = 0
        const reached = yield* Deferred.make<void>()
        const emit = (_: CellEvent) =>
          Effect.suspend(() =>
            seen++ === cut ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : Effect.void
          )
        const fiber = yield* Effect.forkChild(CellRun.run(spec, { laboratory, machine, claim: claim(), emit }))
        yield* Effect.raceFirst(Deferred.await(reached), Effect.exit(Fiber.join(fiber)))
        yield* Fiber.interrupt(fiber)
        if (Exit.isFailure(yield* Fiber.await(fiber))) interrupted++
      }
      const told: Array<CellEvent> = []
      const emit = (event: CellEvent) => Effect.sync(() => void told.push(event))
      const result = yield* CellRun.run(spec, { laboratory, machine, claim: claim(), emit })
      return { result, told, lines: JSON.stringify(lines()), interrupted }
    }).pipe(Effect.scoped)
  )

describe("a distillation that is interrupted", () => {
  const kinds: ReadonlyArray<readonly [string, Partial<Experiment.ExperimentOptions>]> = [
    ["hard pruning", {}],
    [
      "masks with regrowth, sensitivity",
      {
        vary: {
          mode: [PruningMode.layer(PruningMode.masked({ regrowth: true }))],
          scorer: [Scorer.layer(Scorer.sensitivity({ window: 2 }))]
        },
        baseline: "sensitivity · masked"
      }
    ]
  ]
  for (const [name, options] of kinds)
    it(`goes on to the result and the metrics of one that never stopped: ${name}`, async () => {
      const whole = await livesOf([], options)
      assert.deepStrictEqual(
        whole.result.trajectory.map(({ step }) => step),
        [0, 2, 4]
      )
      assert.strictEqual(whole.result.path[0]?.step, 0)
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat({ max: 24 }), { minLength: 1, maxLength: 3 }), async (cuts) => {
          const again = await livesOf(cuts, options)
          assert.strictEqual(numbers(again.result), numbers(whole.result))
          assert.strictEqual(again.lines, whole.lines)
          assert.isAtMost(again.result.provenance.resumed, cuts.length)
        }),
        { numRuns: 8 }
      )
    })

  it("says how often it was begun again", async () => {
    const { result, interrupted } = await livesOf([3, 3])
    assert.strictEqual(interrupted, 2)
    assert.strictEqual(result.provenance.resumed, 2)
  })
})

describe("measures of a cell that is interrupted while they are taken", () => {
  /** Measures by number, which remember how often each was taken. */
  const counting = () => {
    const taken: Array<number> = []
    const measure = (i: number): Measure.Measure => ({
      spec: Spec.make(`counted${i}`),
      columns: [{ id: `counted.${i}`, name: `counted ${i}`, better: "none", digits: 0 }],
      run: () => Effect.sync(() => ({ [`counted.${i}`]: taken.push(i) === 0 ? 0 : i / 3 }))
    })
    const measures = Array.from({ length: 4 }, (_, i) => measure(i))
    return { taken, measures: [...measures.slice(0, 2), Measure.all("two", measures.slice(2))] }
  }

  it("are not taken again, and are those of one that never stopped", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }), async (cuts) => {
        const whole = counting()
        const expected = await livesOf([], { measure: whole.measures, trajectory })
        assert.deepStrictEqual(whole.taken, [0, 1, 2, 3])
        const again = counting()
        const before = expected.told.findIndex((event) => event._tag === "Measuring" && event.measure === "counted 0")
        // the measures at which lives end; each begins with the one at which the life before it ended
        const ends = cuts.toSorted((a, b) => a - b)
        const lives = ends.map((end, life) => (life === 0 ? before + end : end - (ends[life - 1] ?? 0)))
        const { result, lines } = await livesOf(lives, { measure: again.measures, trajectory })
        assert.deepStrictEqual(again.taken, [0, 1, 2, 3])
        assert.strictEqual(numbers(result), numbers(expected.result))
        assert.strictEqual(lines, expected.lines)
      }),
      { numRuns: 10 }
    ))
})

describe("several experiments on one store", () => {
  it("run a cell once that they share", async () => {
    const { options, events } = runner()
    const other = { experiment: Experiment.make({ ...experiment, name: "other" }), seeds: [1, 2] }
    const finished = await run(Runner.run({ ...options, experiments: [...options.experiments, other] }))
    assert.deepStrictEqual(
      finished.map(({ rows }) => rows.map(({ cells }) => cells.length)),
      [
        [2, 2],
        [2, 2]
      ]
    )
    assert.strictEqual(events.filter(({ _tag }) => _tag === "CellFinished").length, 6)
  })

  it("leave a cell to the process that works on it, and take it when that one ends without it", async () => {
    const { options, events } = runner({ seeds: [0] })
    const [first] = await Effect.runPromise(Runner.plan(options))
    const finished = await run(
      Effect.gen(function* () {
        const store = yield* RunStore
        const [held, seen] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const holder = yield* Effect.forkChild(
          Effect.gen(function* () {
            yield* store.claim(first?.key ?? "")
            yield* Deferred.succeed(held, undefined)
            yield* Deferred.await(seen)
          }).pipe(Effect.scoped)
        )
        yield* Deferred.await(held)
        const emit = (event: Runner.RunnerEvent) =>
          Effect.andThen(
            options.emit(event),
            event._tag === "CellElsewhere" ? Deferred.succeed(seen, undefined) : Effect.void
          )
        const made = yield* runOne({ ...options, emit })
        yield* Fiber.join(holder)
        return made
      })
    )
    assert.deepStrictEqual(
      finished.rows.map(({ cells }) => cells.length),
      [1, 1]
    )
    assert.strictEqual(events.filter(({ _tag }) => _tag === "CellElsewhere").length, 1)
  })
})
