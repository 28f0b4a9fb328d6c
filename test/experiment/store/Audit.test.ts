import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as fc from "fast-check"
import { RunStore } from "homodistil/experiment"
import { working } from "../runStoreSuite.ts"
import { damages, tryAll } from "./damage.ts"
import { inFolder } from "./disks.ts"

describe("Audit", () => {
  it("names any object with a flipped bit or a missing end, and nothing reads it as good", () =>
    fc.assert(fc.asyncProperty(fc.array(damages, { minLength: 20, maxLength: 20 }), tryAll), {
      numRuns: 5,
      endOnFailure: true
    }))

  it("names files that no store writes, but not what a killed process leaves", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* working("half", (claim) => claim.save(1, new Uint8Array(2)))
        const place = (name: string) => fs.writeFileString(`${folder}/cells/${name}`, "?")
        for (const name of ["half/.writing-1", "half/checkpoints/.writing-2", ".writing-3"]) yield* place(name)
        const store = yield* RunStore
        assert.deepStrictEqual(yield* store.verify, [])
        const strange = ["half/checkpoints/1.old", "half/results.json", "old.json"]
        for (const name of strange) yield* place(name)
        const damage = yield* store.verify
        assert.deepStrictEqual(
          damage.map(({ object }) => object).toSorted(),
          strange.map((name) => `${folder}/cells/${name}`)
        )
        for (const { reason, remedy } of damage)
          assert.match(`${reason}; ${remedy}`, /no object of a store.*move it elsewhere/)
      })
    ))
})
