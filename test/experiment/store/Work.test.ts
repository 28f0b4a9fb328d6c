import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { RunStore } from "homodistil/experiment"
import { sample, working } from "../runStoreSuite.ts"
import { closesAfter, filesIn, type Gate, inFolder, processStore } from "./disks.ts"

const key = "0123456789ab"
const steps = 5

const stateOf = (step: number): Uint8Array =>
  Uint8Array.from({ length: 40 + step }, (_, i) => (i === 0 ? step : i * step))

/** A run of five steps with hundreds of metrics, a checkpoint every second step, and the result. */
const run = Effect.gen(function* () {
  const [cell] = sample(key)
  const result = yield* Effect.fromNullishOr(cell)
  if ((yield* (yield* RunStore).get(key)) !== undefined) return
  yield* working(key, (claim) =>
    Effect.gen(function* () {
      const kept = claim.checkpoint?.[0] ?? 0
      // one that a run of another layout has left
      if (kept > steps) yield* claim.restart("it is of another layout")
      const from = kept > steps ? 0 : kept
      if (kept <= steps)
        assert.deepStrictEqual(claim.checkpoint && [...claim.checkpoint], from === 0 ? undefined : [...stateOf(from)])
      yield* claim.log(`from ${from}`)
      for (let step = from + 1; step <= steps; step++) {
        for (let i = 0; i < 130; i++) yield* claim.record({ step, i, loss: 1 / (step + i) })
        if (step % 2 === 0) yield* claim.save(step, stateOf(step))
      }
      yield* claim.finish(result)
    })
  )
})

const objects = (folder: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const read = (name: string) => fs.readFileString(`${folder}/cells/${key}/${name}`)
    return { result: yield* read("result.json"), metrics: yield* read("metrics.ndjson") }
  })

/** What the run leaves when nothing goes wrong. */
const expected = inFolder((folder) => Effect.andThen(run, objects(folder)))

/** Runs until the gate closes; tells whether it did. */
const cutRun = (folder: string, started: number, { gate, closed }: { gate: Gate; closed: () => boolean }) =>
  Effect.map(Effect.exit(run.pipe(Effect.provide(processStore(folder, { started, gate })))), closed)

/** A run that was begun with checkpoints of another layout, and metrics of its own. */
const another = working(key, (claim) =>
  Effect.gen(function* () {
    for (let step = 1; step <= 3; step++) {
      for (let i = 0; i < 100; i++) yield* claim.record({ event: "of another layout", step, i })
      yield* claim.save(step, Uint8Array.of(200 + step))
    }
    yield* claim.record({ event: "behind the last checkpoint" })
  })
)

/** After any number of processes that were killed after so many changes, the next one ends as if nothing had happened. */
const survives = (kills: ReadonlyArray<number>, before: Effect.Effect<void, unknown, RunStore> = Effect.void) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      yield* before
      const fs = yield* FileSystem.FileSystem
      let cut = false
      for (const [i, n] of kills.entries()) {
        cut = yield* cutRun(folder, i, closesAfter(n))
        // at no moment does anything look damaged, or finished when it is not
        const found = yield* (yield* RunStore).verify
        assert.deepStrictEqual(found, [])
        const cell = yield* (yield* RunStore).get(key)
        assert.deepStrictEqual(cell, cell && sample(key)[0])
        yield* (yield* RunStore).list
      }
      yield* run.pipe(Effect.provide(processStore(folder, { started: kills.length })))
      assert.deepStrictEqual(yield* objects(folder), yield* Effect.promise(() => expected))
      const store = yield* RunStore
      yield* store.collect({ begun: false, dryRun: false })
      assert.deepStrictEqual(yield* filesIn(`${folder}/cells/${key}`), [
        "log.txt",
        "metrics.ndjson",
        "provenance.json",
        "result.json"
      ])
      assert.deepStrictEqual(
        (yield* store.list).map(({ state }) => state),
        ["finished"]
      )
      assert.isTrue(yield* fs.exists(`${folder}/index.ndjson`))
      return cut
    })
  )

/** Kills a process after its first change, after two, and so on until it ends before; tells how often that was. */
const everywhere = async (before?: Effect.Effect<void, unknown, RunStore>): Promise<number> => {
  let cuts = 0
  for (let going = true; going;) {
    const cut = await Promise.all(Array.from({ length: 8 }, (_, i) => survives([cuts + i], before)))
    cuts += cut.filter(Boolean).length
    going = !cut.includes(false)
  }
  return cuts
}

describe("Work", () => {
  it("ends the same wherever a process was killed", async () => assert.isAbove(await everywhere(), 50), 180_000)

  it(
    "ends the same where it started over, and wherever a process was killed",
    async () => assert.isAbove(await everywhere(another), 50),
    180_000
  )

  it(
    "ends the same after several kills",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat({ max: 60 }), { minLength: 2, maxLength: 5 }),
          async (kills) => void (await survives(kills))
        ),
        { numRuns: 12 }
      ),
    180_000
  )

  it(
    "writes the metrics that a full disk refused when there is room again",
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom<"whole" | "half" | "none">("whole", "half", "none"), { maxLength: 12 }),
          (ways) =>
            inFolder((folder) =>
              Effect.gen(function* () {
                let open = true
                let at = 0
                const gate: Gate = () => (open ? "whole" : (ways[at++] ?? "whole"))
                const full = processStore(folder, { started: 1, gate, code: "ENOSPC", text: "no space left on device" })
                const result = yield* Effect.fromNullishOr(sample(key)[0])
                yield* working(key, (claim) =>
                  Effect.gen(function* () {
                    for (let step = 1; step <= steps; step++) {
                      for (let i = 0; i < 130; i++) {
                        open = false
                        yield* Effect.ignore(claim.record({ step, i, loss: 1 / (step + i) }))
                        open = true
                      }
                      open = false
                      const saved = yield* Effect.result(claim.save(step, stateOf(step)))
                      open = true
                      const { _tag: kind } = saved
                      if (kind === "Failure")
                        assert.match(saved.failure.message, /^cannot write .*runs: the disk is full; make room/)
                    }
                    yield* claim.finish(result)
                  })
                ).pipe(Effect.provide(full))
                assert.deepStrictEqual(yield* objects(folder), yield* Effect.promise(() => expected))
                assert.deepStrictEqual(yield* (yield* RunStore).verify, [])
              })
            )
        ),
        { numRuns: 10 }
      ),
    180_000
  )
})
