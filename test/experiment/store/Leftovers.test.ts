import { assert, describe, it } from "@effect/vitest"
import type * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { put, RunStore } from "homodistil/experiment"
import { sample, working } from "../runStoreSuite.ts"
import { filesIn, inFolder, processStore } from "./disks.ts"

describe("Leftovers", () => {
  it("are named, then removed, and nothing else is", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const store = yield* RunStore
        const write = (name: string) => fs.writeFileString(`${folder}/${name}`, "left")
        const half = (key: string) =>
          working(key, (claim) => Effect.andThen(claim.record({ step: 1 }), claim.save(1, Uint8Array.of(1))))
        yield* put(yield* Effect.fromNullishOr(sample("done")[0]))
        yield* half("half")
        yield* half("empty")
        yield* half("busy")
        const ended = yield* RunStore.pipe(Effect.provide(processStore(folder, { started: 1 })))
        const services = yield* Effect.context<NodeServices.NodeServices>()
        yield* working("busy", () =>
          Effect.gen(function* () {
            yield* fs.makeDirectory(`${folder}/cells/done/checkpoints`)
            yield* fs.remove(`${folder}/cells/empty/checkpoints/1.ckpt`)
            yield* ended.claim("half")
            for (const name of ["busy", "done", "half"]) yield* write(`cells/${name}/.writing-x`)
            for (const name of [".writing-x", "cells/.writing-x", "cells/done/checkpoints/7.ckpt"]) yield* write(name)
            yield* write("cells/half/checkpoints/.writing-x")

            const before = yield* filesIn(folder)
            const told = yield* store.collect({ begun: false, dryRun: true })
            assert.deepStrictEqual(yield* filesIn(folder), before)
            const names = told.map((file) => file.slice(folder.length + 1).replace(/lock\..*/, "lock")).toSorted()
            assert.deepStrictEqual(names, [
              ".writing-x",
              "cells/.writing-x",
              "cells/done/.writing-x",
              "cells/done/checkpoints/7.ckpt",
              "cells/empty/metrics.ndjson",
              "cells/half/.writing-x",
              "cells/half/checkpoints/.writing-x",
              "cells/half/lock"
            ])
            assert.deepStrictEqual((yield* store.collect({ begun: false, dryRun: false })).toSorted(), told.toSorted())
            const gone = new Set(told.map((file) => file.slice(folder.length + 1)))
            assert.deepStrictEqual(
              yield* filesIn(folder),
              before.filter((name) => !gone.has(name))
            )
            assert.deepStrictEqual(yield* store.collect({ begun: false, dryRun: false }), [])
          }).pipe(Effect.scoped, Effect.provide(services))
        )
        yield* store.collect({ begun: true, dryRun: false })
        assert.deepStrictEqual(
          (yield* store.list).map(({ key }) => key),
          ["done"]
        )
        assert.deepStrictEqual(yield* filesIn(`${folder}/cells/half`), [])
      })
    ))
})
