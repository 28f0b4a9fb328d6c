import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { put, RunStore } from "homodistil/experiment"
import { sample, working } from "../runStoreSuite.ts"
import { filesIn, inFolder } from "./disks.ts"

/** A change of one object: a bit that flipped, or an end that is gone. */
export const damages = fc.record({
  object: fc.nat(),
  place: fc.nat(),
  bit: fc.option(fc.nat({ max: 7 }), { nil: undefined })
})

/** A change of one object. */
export type Change = typeof damages extends fc.Arbitrary<infer A> ? A : never

const stateOf = (step: number): Uint8Array => Uint8Array.from({ length: 60 }, (_, i) => step * i)

const record = (key: string, to: number) =>
  working(key, (claim) =>
    Effect.gen(function* () {
      for (let step = 1; step <= to; step++) {
        yield* claim.record({ step, loss: 1 / step })
        if (step % 2 === 0) yield* claim.save(step, stateOf(step))
      }
    })
  )

/** Makes a store with every kind of object, and tries the changes on it one after another. */
export const tryAll = (changes: ReadonlyArray<Change>) =>
  inFolder((folder) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const store = yield* RunStore
      yield* record("done", 3)
      const done = yield* Effect.fromNullishOr(sample("done")[0])
      yield* working("done", (claim) => Effect.andThen(claim.record({ end: true }), claim.finish(done)))
      yield* put(yield* Effect.fromNullishOr(sample("x", "plain")[1]))
      yield* record("half", 7)
      // a lock that no process of this machine holds
      yield* store.claim("busy")
      const objects = (yield* filesIn(folder)).filter((name) => !/index\.ndjson$|log\.txt$/.test(name))
      const kinds = new Set(objects.map((name) => name.replace(/^cells\/\w+\/|\d+(?=\.ckpt)|(?<=lock\.).*/g, "")))
      assert.deepStrictEqual([...kinds].toSorted(), [
        "checkpoints/.ckpt",
        "lock.",
        "metrics.ndjson",
        "provenance.json",
        "result.json"
      ])
      assert.deepStrictEqual(yield* store.verify, [])

      for (const { object, place, bit } of changes) {
        const name = objects[object % objects.length] ?? ""
        const file = `${folder}/${name}`
        const whole = yield* fs.readFile(file)
        // an object without a byte cannot be damaged
        if (whole.length === 0) continue
        const at = place % whole.length
        const changed = bit === undefined ? whole.subarray(0, at) : whole.map((b, i) => (i === at ? b ^ (1 << bit) : b))
        yield* fs.writeFile(file, changed)
        const context = `${name} at ${at}, ${bit}`

        const named = (yield* store.verify).map((damage) => damage.object)
        assert.deepStrictEqual(named, [file], context)
        if (/(done|plain)\/(result|provenance)/.test(name)) {
          const key = name.split("/")[1] ?? ""
          assert.strictEqual((yield* Effect.flip(store.get(key))).object, file, context)
        }
        if (/half\/checkpoints|half\/metrics/.test(name)) {
          // the claim tidies up: it gets a copy of the store's cell
          const copy = `${folder}/cells/copy`
          yield* fs.copy(`${folder}/cells/half`, copy)
          yield* working("copy", ({ checkpoint }) =>
            Effect.sync(() => {
              const steps = name.endsWith("4.ckpt") ? [6] : name.endsWith("6.ckpt") ? [4] : [4, undefined]
              assert.include(steps, checkpoint?.[1], context)
              if (checkpoint !== undefined)
                assert.deepStrictEqual([...checkpoint], [...stateOf(checkpoint[1] ?? 0)], context)
            })
          )
          assert.match(
            name.endsWith("4.ckpt") ? "passed over" : yield* fs.readFileString(`${copy}/log.txt`),
            /passed over/
          )
          yield* fs.remove(copy, { recursive: true })
        }
        yield* fs.writeFile(file, whole)
      }
      assert.deepStrictEqual(yield* store.verify, [])
    }).pipe(Effect.scoped)
  )
