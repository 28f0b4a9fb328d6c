import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { labelsWritten, scoresWritten, taskOf, textSplitOf } from "../../../src/data/index.ts"
import { toyTask } from "./tasks.ts"

const split = (tolerance: number, good: number, bad: number) =>
  textSplitOf(
    { name: "dev", file: "dev.tsv", digest: "", tolerance },
    [
      ...Array.from({ length: bad }, (_, line) => ({ line, first: "a", label: "?" })),
      ...Array.from({ length: good }, (_, line) => ({ line: line + bad, first: "a", label: "0" }))
    ],
    labelsWritten(["0", "1"])
  )

describe("textSplitOf", () => {
  it("leaves out as many rows as it may, rounded up, and says how many and why", () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0.01, 0.5), fc.nat(120), fc.nat(40), (tolerance, good, bad) => {
        const found = split(tolerance, good, bad)
        const bears = bad <= Math.ceil(tolerance * (good + bad))
        assert.strictEqual(Result.isSuccess(found), bears && good > 0)
        if (Result.isSuccess(found)) {
          assert.lengthOf(found.success.texts, good)
          assert.strictEqual(found.success.leftOut.count, bad)
          assert.lengthOf(found.success.leftOut.problems, Math.min(10, bad))
        } else assert.strictEqual(found.failure.count, bears ? 1 : bad)
      })
    )
  })
})

describe("scoresWritten", () => {
  it("reads every finite number as JavaScript writes it, and nothing else", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (score) =>
        assert.strictEqual(scoresWritten.of(String(score)), Number(String(score)))
      )
    )
    for (const label of ["", " ", "0x10", "1,5", "NaN", "Infinity", "1e999", "one", "1 2", "--1", "."])
      assert.isUndefined(scoresWritten.of(label), label)
  })
})

describe("labelsWritten", () => {
  it("gives each class its place, and shows no more than twenty", () => {
    const labels = labelsWritten(Array.from({ length: 50 }, (_, i) => `class${i}`))
    assert.deepStrictEqual([labels.of("class49"), labels.of(" class0 "), labels.of("__proto__")], [49, 0, undefined])
    assert.match(labels.bound, /"class19" or one of 30 more$/)
  })
})

describe("taskOf", () => {
  it("is named by its files, classes and metrics", () => {
    const { spec: _, ...parts } = toyTask()
    assert.deepStrictEqual(taskOf(parts), toyTask())
    assert.notDeepEqual(taskOf({ ...parts, metrics: ["matthews"] }).spec, toyTask().spec)
    assert.notDeepEqual(
      taskOf({ ...parts, labels: { kind: "classes", classes: ["high", "low"] } }).spec,
      toyTask().spec
    )
    assert.notDeepEqual(toyTask({ seed: 1 }).spec, toyTask().spec)
  })
})
