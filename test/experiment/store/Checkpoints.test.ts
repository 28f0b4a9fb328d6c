import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { RunStore } from "homodistil/experiment"
import { working } from "../runStoreSuite.ts"
import { filesIn, inFolder } from "./disks.ts"

const begin = (to: number) =>
  working("cell", (claim) =>
    Effect.gen(function* () {
      for (let step = 1; step <= to; step++) {
        yield* claim.record({ step })
        yield* claim.save(step, Uint8Array.of(step, 10, 0))
      }
    })
  )

const resumed = working("cell", ({ checkpoint }) => Effect.succeed(checkpoint?.[0]))

describe("Checkpoints", () => {
  it("are two, and metrics go back to the one that a run goes on from", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const cell = `${folder}/cells/cell`
        const lines = Effect.map(fs.readFileString(`${cell}/metrics.ndjson`), (text) => text.split("\n").length - 1)
        yield* begin(12)
        assert.deepStrictEqual(yield* filesIn(`${cell}/checkpoints`), ["11.ckpt", "12.ckpt"])
        yield* fs.writeFileString(`${cell}/metrics.ndjson`, '{"half":', { flag: "a" })
        assert.strictEqual(yield* resumed, 12)
        assert.strictEqual(yield* lines, 12)

        yield* fs.writeFileString(`${cell}/checkpoints/12.ckpt`, "?", { flag: "a" })
        assert.strictEqual(yield* resumed, 11)
        assert.strictEqual(yield* lines, 11)
        assert.match(
          yield* fs.readFileString(`${cell}/log.txt`),
          /^\d{4}-\S+Z the checkpoint of step 12 is passed over: its contents do not match their digest\n$/
        )
        assert.deepStrictEqual(yield* filesIn(`${cell}/checkpoints`), ["11.ckpt"])

        yield* fs.rename(`${cell}/checkpoints/11.ckpt`, `${cell}/checkpoints/13.ckpt`)
        const [damage] = yield* (yield* RunStore).verify
        assert.strictEqual(damage?.reason, "it is the checkpoint of step 11")
        assert.isUndefined(yield* resumed)
        assert.strictEqual(yield* lines, 0)
      })
    ))

  it("are of no use without the metrics they were made with", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const cell = `${folder}/cells/cell`
        yield* begin(3)
        yield* fs.truncate(`${cell}/metrics.ndjson`, 50)
        assert.isUndefined(yield* resumed)
        assert.match(yield* fs.readFileString(`${cell}/log.txt`), /step 3 is .*step 2 is passed over: the metrics/s)
        assert.deepStrictEqual(yield* filesIn(cell), ["log.txt", "metrics.ndjson"])
        assert.strictEqual(yield* fs.readFileString(`${cell}/metrics.ndjson`), "")
        yield* begin(1)
        yield* fs.remove(`${cell}/metrics.ndjson`)
        assert.match((yield* (yield* RunStore).verify)[0]?.reason ?? "", /missing, though a checkpoint/)
        assert.isUndefined(yield* resumed)
      })
    ))

  it("of a run that began anew replace later ones", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        yield* begin(5)
        yield* begin(1)
        assert.deepStrictEqual(yield* filesIn(`${folder}/cells/cell/checkpoints`), ["1.ckpt"])
      })
    ))
})
