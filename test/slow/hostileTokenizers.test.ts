import { describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { damaged, survives } from "../data/wordpiece/hostile.ts"

describe("ten thousand tokenizers whose files were damaged", () => {
  it("encode or give a typed error each", () => {
    fc.assert(
      fc.property(damaged, (files) => void survives(files)),
      { numRuns: 10_000 }
    )
  })
})
