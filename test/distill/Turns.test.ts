import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { Turns } from "homodistil/distill"
import { assert, describe, it } from "vitest"

/** Runs members of so many steps each, which pause at will, and gives what happened: `[member, step]` at each turn. */
const play = (steps: ReadonlyArray<number>, pauses: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const turns = Turns.make(steps.length)
    const log: Array<readonly [member: number, step: number]> = []
    let working = 0
    const pause = (i: number) =>
      Effect.forEach(Array.from({ length: pauses[i % pauses.length] ?? 0 }), () => Effect.yieldNow)
    yield* Effect.forEach(
      steps,
      (count, member) =>
        Effect.gen(function* () {
          yield* pause(member)
          for (let step = 0; step < count; step++) {
            yield* turns.wait(member, step)
            assert.strictEqual(++working, 1)
            log.push([member, step])
            yield* pause(member + step)
            working--
          }
        }).pipe(Effect.ensuring(turns.leave(member))),
      { concurrency: "unbounded", discard: true }
    )
    return log
  })

describe("turns", () => {
  it("come to one at a time, the one furthest behind, in an order that no pause changes", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 7 }),
        async (steps, pauses) => {
          const expected = Array.from({ length: 5 }, (_, step) => step).flatMap((step) =>
            steps.flatMap((count, member) => (step < count ? [[member, step] as const] : []))
          )
          assert.deepStrictEqual(await Effect.runPromise(play(steps, pauses)), expected)
        }
      ),
      { numRuns: 50 }
    ))

  it("go on when one that works or waits is interrupted", () =>
    Effect.gen(function* () {
      const turns = Turns.make(3)
      const got: Array<number> = []
      const member = (i: number, work: Effect.Effect<void>) =>
        turns
          .wait(i, 0)
          .pipe(
            Effect.andThen(Effect.sync(() => got.push(i))),
            Effect.andThen(work),
            Effect.ensuring(turns.leave(i)),
            Effect.forkChild({ startImmediately: true })
          )
      const working = yield* member(0, Effect.never)
      const waiting = yield* member(1, Effect.never)
      const last = yield* member(2, Effect.void)
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(got, [0])
      yield* Fiber.interrupt(working)
      yield* Fiber.join(last)
      assert.deepStrictEqual(got, [0, 2])
    }).pipe(Effect.runPromise))

  it("know who has come how far", () =>
    Effect.gen(function* () {
      const turns = Turns.make(2)
      assert.deepStrictEqual(turns.at(Turns.before), [0, 1])
      yield* Effect.forkChild(turns.wait(1, 4), { startImmediately: true })
      yield* turns.wait(0, 3)
      assert.deepStrictEqual([turns.at(3), turns.at(4)], [[0], [1]])
      yield* turns.leave(0)
      assert.deepStrictEqual(turns.at(3), [])
    }).pipe(Effect.runPromise))
})
