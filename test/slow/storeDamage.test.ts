import { describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { damages, tryAll } from "../experiment/store/damage.ts"

describe("a store's objects", () => {
  it("are never read as good after one of a thousand damages", () =>
    fc.assert(fc.asyncProperty(fc.array(damages, { minLength: 50, maxLength: 50 }), tryAll), {
      numRuns: 20,
      endOnFailure: true
    }))
})
