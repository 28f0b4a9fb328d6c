import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { damaged, survives } from "./hostile.ts"

describe("the files of a tokenizer that were damaged", () => {
  it("give a tokenizer that encodes, or a typed error that names the file", () => {
    const seen = new Map([
      ["read", 0],
      ["refused", 0]
    ])
    fc.assert(
      fc.property(damaged, (files) => {
        const what = survives(files)
        seen.set(what, (seen.get(what) ?? 0) + 1)
      }),
      { numRuns: 300 }
    )
    for (const count of seen.values()) assert.isAbove(count, 30)
  })
})
