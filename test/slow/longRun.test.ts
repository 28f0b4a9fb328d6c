import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Backend, OnnxBackend } from "homodistil/backend"
import { Distiller, Training } from "homodistil/distill"
import { Seed } from "homodistil/spec"
import process from "node:process"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, it } from "vitest"
import { batch, plan, teacher } from "../distill/samples.ts"

const steps = 2000
setFlagsFromString("--expose-gc")
const exposed: unknown = runInNewContext("gc")
const collectGarbage = (): void => {
  if (typeof exposed !== "function") throw new Error("this Node cannot collect garbage on demand")
  Reflect.apply(exposed, undefined, [])
}

/** Resident memory without what only waits to be collected. */
const megabytes = () => {
  collectGarbage()
  return process.memoryUsage().rss / 2 ** 20
}

it("2,000 steps: tensors and sessions stay constant between prunings, and memory is flat after the last", async () => {
  const training = Training.layer(Training.make({ steps, rows: 4, length: 10, pruneEvery: 10 }))
  const live: Array<{ readonly step: number; readonly tensors: number; readonly sessions: number }> = []
  const memory: Array<{ readonly step: number; readonly rss: number }> = []
  let lastPruning = 0
  const after = await Effect.runPromise(
    Effect.gen(function* () {
      const backend = yield* Backend
      yield* Distiller.run({ plan: plan(training), teacher, seed: Seed.make(0), batch, snapshotAt: () => false }).pipe(
        Stream.runForEach((event) =>
          Effect.gen(function* () {
            if (event._tag === "Pruned") lastPruning = event.step
            if (event._tag !== "Stepped") return
            live.push({ step: event.step, ...(yield* backend.live) })
            if (event.step % 50 === 0) memory.push({ step: event.step, rss: megabytes() })
          })
        )
      )
      return yield* backend.live
    }).pipe(Effect.provide(OnnxBackend.layer({ threads: 2 })))
  )
  assert.deepEqual(after, { tensors: 0, sessions: 0 })
  assert.strictEqual(new Set(live.map(({ tensors, sessions }) => `${tensors}/${sessions}`)).size, 1)
  assert.isAbove(lastPruning, 500)
  const settled = memory.filter(({ step }) => step >= lastPruning + 100).map(({ rss }) => rss)
  assert.isAbove(settled.length, 5)
  const [early, late] = [settled.slice(0, 3), settled.slice(-3)].map(
    (few) => few.reduce((sum, x) => sum + x, 0) / few.length
  )
  assert.isBelow((late ?? 0) - (early ?? 0), 15, `resident memory in MB: ${settled.map((x) => x.toFixed(0)).join(" ")}`)
}, 600_000)
