import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backend, BackendUnavailable, CompileError, ExecutionError } from "homodistil/backend"
import { engines, on } from "./engines.ts"

describe("Backend", () => {
  it.each(Object.entries(engines))("is a service that says which it is (%s)", async (name, layer) =>
    assert.strictEqual(
      await on(
        layer,
        Effect.map(Backend, (backend) => backend.name)
      ),
      name
    )
  )

  it("fails in one line each, with what to do where a user can do something", () => {
    const errors = [
      new CompileError({ function: "step", kernel: "TopK", where: "a.ts:1:2", reason: "no rule" }),
      new BackendUnavailable({ backend: "node", reason: "not found", remedy: "install it" }),
      new ExecutionError({ function: "step", reason: "out of memory" })
    ]
    assert.deepStrictEqual(
      errors.map((error) => error.message),
      [
        "cannot compile step: no rule (kernel TopK, at a.ts:1:2)",
        "backend node is not available: not found; install it",
        "running step failed: out of memory"
      ]
    )
  })
})
