import { describe, it } from "@effect/vitest"
import { readHostile } from "../data/glue/hostile.ts"

describe("hostile files of labelled text", () => {
  it("give sound texts or a typed error, ten thousand times", () => readHostile(10_000))
})
