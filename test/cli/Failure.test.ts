import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as CliError from "effect/cli/CliError"
import { Diverged } from "homodistil/distill"
import * as Failure from "../../src/cli/Failure.ts"

describe("Failure.report", () => {
  it("says a failure as it is, with 1", () => {
    const { text, code } = Failure.report(Cause.fail(new Diverged({ step: 3, loss: "NaN" })))
    assert.deepStrictEqual(
      [text, code],
      ["the loss became NaN at step 3; lower the learning rate or lengthen the warm-up", 1]
    )
  })

  it("says once what several cells failed with", () => {
    const one = Cause.fail(new Diverged({ step: 3, loss: "NaN" }))
    assert.lengthOf(Failure.report(Cause.combine(one, one)).text.split("\n"), 1)
  })

  it("takes a defect for a bug whatever else happened, and shows where", () => {
    const cause = Cause.combine(Cause.fail(new Error("mine")), Cause.die(new TypeError("x is not a function")))
    const { text, code } = Failure.report(cause)
    assert.strictEqual(code, 70)
    assert.match(text, /^This is a bug of homodistil.*\nTypeError: x is not a function\n {4}at /)
    assert.isAtMost(text.split("\n").length, 9)
    assert.strictEqual(Failure.report(Cause.die("a word")).text.split("\n")[1], "a word")
  })

  it("knows an interruption", () => assert.strictEqual(Failure.report(Cause.interrupt(1)).code, 130))
})

describe("Failure.invocation", () => {
  it("has one line for each problem, with what to do", () => {
    const errors = [
      new CliError.UnrecognizedOption({ option: "--rato", suggestions: ["--ratio"] }),
      new CliError.InvalidValue({ option: "steps", value: "x", expected: "Expected an integer", kind: "flag" }),
      new CliError.UnrecognizedOption({ option: "--qq", suggestions: [] })
    ]
    assert.strictEqual(
      Failure.invocation(errors, ["homodistil", "distill"]),
      [
        "--rato: there is no such option; did you mean --ratio? see homodistil distill --help",
        "--steps = x: must be an integer; see homodistil distill --help",
        "--qq: there is no such option; see homodistil distill --help"
      ].join("\n")
    )
  })
})
