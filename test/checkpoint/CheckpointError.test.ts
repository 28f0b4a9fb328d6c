import { assert, describe, it } from "@effect/vitest"
import { CheckpointError } from "../../src/checkpoint/CheckpointError.ts"

describe("CheckpointError", () => {
  it("says all problems, the tensor first where there is one", () => {
    const problems = [{ tensor: "a", reason: "is missing" }, { reason: "is cut" }]
    const error = new CheckpointError({ file: "f", problems, remedy: "copy it again" })
    assert.strictEqual(error.message, "f: a is missing\n  is cut; copy it again")
    assert.deepStrictEqual(error.problems, problems)
  })
})
