import { assert, it } from "@effect/vitest"
import { TokenizerMismatch } from "../../../src/data/wordpiece/TokenizerMismatch.ts"

it("a mismatch says in one line what is where, what should be, and what to do", () => {
  const error = new TokenizerMismatch({ key: "a.json: b", expected: "one", got: "two", remedy: "mend it" })
  assert.strictEqual(error._tag, "TokenizerMismatch")
  assert.strictEqual(error.message, "a.json: b: expected one, got two; mend it")
})
