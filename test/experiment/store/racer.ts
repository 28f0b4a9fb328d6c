import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { layer } from "../../../src/experiment/FileRunStore.ts"
import { RunStore } from "../../../src/experiment/RunStore.ts"

/** The arguments: the store's folder, where to leave marks, and how many cells. */
const [folder = "", marks = "", count = "0"] = process.argv.slice(2)
const keys = Array.from({ length: Number(count) }, (_, i) => `cell${i}`)

const provenance = {
  seconds: 0,
  trainSeconds: 0,
  finished: "",
  resumed: 0,
  node: "",
  platform: "",
  cpu: "",
  cores: 1,
  version: "",
  packages: {},
  git: null
}
const cell = { spec: {}, measures: { loss: 0.5 }, curve: [], path: [], trajectory: [], provenance }

/** Whether a process has not ended; one that nobody asked after yet has. */
const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !existsSync(`/proc/${pid}/stat`) || !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ")
  } catch {
    return false
  }
}

/** Leaves a mark while it works on a cell: one that another running process has left means two at once. */
const alone = <A, E>(key: string, work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const mark = `${marks}/${key}`
    try {
      writeFileSync(mark, `${process.pid}`, { flag: "wx" })
    } catch {
      const other = Number(readFileSync(mark, "utf8"))
      // a mark without a number is of one that was killed while it wrote it
      if (other > 0 && runs(other)) process.stdout.write(`TWICE ${key}\n`)
      writeFileSync(mark, `${process.pid}`)
    }
    return Effect.ensuring(
      work,
      Effect.sync(() => rmSync(mark, { force: true }))
    )
  })

const work = (key: string) =>
  Effect.gen(function* () {
    const store = yield* RunStore
    if ((yield* store.get(key)) !== undefined) return true
    const claim = yield* store.claim(key)
    if (claim === undefined) return false
    if ((yield* store.get(key)) !== undefined) return true
    const steps = Effect.gen(function* () {
      for (let step = (claim.checkpoint?.[0] ?? 0) + 1; step <= 4; step++) {
        yield* claim.record({ key, step })
        yield* Effect.sleep(10)
        yield* claim.save(step, Uint8Array.of(step))
      }
      yield* claim.finish({ ...cell, key })
      process.stdout.write(`done ${key}\n`)
    })
    yield* alone(key, steps)
    return true
  }).pipe(Effect.scoped)

const all: Effect.Effect<void, unknown, RunStore> = Effect.gen(function* () {
  const done = yield* Effect.forEach(keys, work)
  if (done.includes(false)) yield* Effect.andThen(Effect.sleep(20), all)
})

process.stdout.write("ready\n")
await Effect.runPromise(all.pipe(Effect.provide(Layer.provideMerge(layer(folder), NodeServices.layer))))
