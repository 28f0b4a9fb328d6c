import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { ConfigError } from "homodistil/spec"

const problems = [
  { key: "ratio", value: "0", bound: "a number in (0, 1]", remedy: "use for example .25" },
  { key: "steps", value: "-1", bound: "at least 1", remedy: "use for example 100" }
]

describe("ConfigError", () => {
  it("tells every problem on a line of its own, with key, value, bound and remedy", () => {
    assert.strictEqual(
      new ConfigError({ problems }).message,
      "ratio = 0: must be a number in (0, 1]; use for example .25\nsteps = -1: must be at least 1; use for example 100"
    )
  })

  it("survives being stored", () => {
    const encoded: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(ConfigError)(new ConfigError({ problems }))))
    assert.deepStrictEqual(Schema.decodeUnknownSync(ConfigError)(encoded).problems, problems)
  })
})
