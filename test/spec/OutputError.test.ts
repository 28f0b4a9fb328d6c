import { assert, describe, it } from "@effect/vitest"
import { badArgument, systemError, type SystemErrorTag } from "effect/PlatformError"
import { outputError, outputRemedy } from "../../src/spec/OutputError.ts"

const failed = (tag: SystemErrorTag, rest: { readonly cause?: Error; readonly description?: string } = {}) =>
  outputError("results", systemError({ _tag: tag, module: "FileSystem", method: "rename", ...rest }))

describe("outputError", () => {
  it("says in plain words and one line what stood in the way", () => {
    assert.strictEqual(failed("PermissionDenied").message, `cannot write results: permission denied; ${outputRemedy}`)
    assert.strictEqual(failed("AlreadyExists").reason, "a file of that name is in the way")
    assert.strictEqual(failed("Unknown", { cause: new Error("no space left\nat x") }).reason, "no space left")
    assert.strictEqual(failed("Unknown", { description: "odd" }).reason, "odd")
    assert.notInclude(failed("Unknown").reason, "\n")
    const argument = badArgument({ module: "FileSystem", method: "open", description: "a null byte" })
    assert.strictEqual(outputError("results", argument).reason, "a null byte")
  })
})
