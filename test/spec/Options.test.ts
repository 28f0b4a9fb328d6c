import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Result from "effect/Result"
import { ConfigError, Options } from "homodistil/spec"

const Settings = Schema.Struct({
  window: Options.withDefault(Options.Count, 10),
  beta: Options.withDefault(Options.Decay, 0.9),
  kind: Options.withDefault(Schema.Literals(["mean", "sum"]), "mean")
})

const problemsOf = (options: unknown) => {
  const result = Options.decodeResult("scorer", Settings, options)
  return Result.isFailure(result) ? result.failure.problems : []
}

describe("Options", () => {
  it("fills in defaults", () => {
    assert.deepStrictEqual(Options.decode("scorer", Settings, { beta: 0 }), { window: 10, beta: 0, kind: "mean" })
  })

  it("reports every problem at once, with key, value, bound and an example", () => {
    const problems = problemsOf({ window: 1.5, beta: 1, kind: "median", speed: 3 })
    assert.deepStrictEqual(
      problems.map(({ key, value, remedy }) => ({ key, value, remedy })).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      [
        { key: "scorer.beta", value: "1", remedy: "use for example 0.9" },
        { key: "scorer.kind", value: "median", remedy: "use for example mean" },
        { key: "scorer.speed", value: "3", remedy: "see the options of scorer" },
        { key: "scorer.window", value: "1.5", remedy: "use for example 10" }
      ]
    )
    for (const { bound } of problems) assert.notMatch(bound, /Expected/)
  })

  it("takes no number that is none", () => {
    for (const value of [Number.NaN, Infinity, "0.5", null]) assert.lengthOf(problemsOf({ beta: value }), 1)
    assert.throws(() => Options.decode("scorer", Settings, { beta: Number.NaN }), ConfigError)
  })

  it.each([
    ["Count", Options.Count, [1, 7], [0, 1.5, -1]],
    ["Share", Options.Share, [1e-9, 1], [0, 1.1]],
    ["Fraction", Options.Fraction, [0, 1], [-0.1, 1.1]],
    ["Decay", Options.Decay, [0, 0.999], [1, -0.1]],
    ["Weight", Options.Weight, [0, 9], [-1e-9]],
    ["Positive", Options.Positive, [1e-9, 9], [0]]
  ] as const)("%s knows its bounds", (_, schema, good, bad) => {
    const holds = Schema.is(schema)
    assert.isTrue(good.every((value) => holds(value)))
    assert.isFalse(bad.some((value) => holds(value)))
  })
})
