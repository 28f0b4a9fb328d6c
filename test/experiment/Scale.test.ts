import { assert, describe, it } from "@effect/vitest"
import { Training } from "homodistil/distill"
import { Scale } from "homodistil/experiment"

describe("Scale", () => {
  it("is found by name; an unknown one lists those there are", () => {
    for (const scale of Scale.all) assert.strictEqual(Scale.named(scale.name), scale)
    const error = Scale.named("huge")
    assert.isTrue("problems" in error)
    if ("problems" in error)
      assert.strictEqual(error.message, "scale = huge: must be one of smoke, micro; use --scale micro")
  })

  it("has training options that are legal, and held-out rows that fill their batches", () => {
    for (const { training, testRows, testBatch, points } of Scale.all) {
      const { steps } = Training.make(training)
      assert.strictEqual(testRows % testBatch, 0)
      assert.isAtLeast(steps, points)
    }
  })

  it("has what shapes a cell in its spec, and nothing else", () => {
    const { spec, ...rest } = Scale.micro
    assert.deepStrictEqual(Scale.make({ ...rest, name: "other", seeds: 9 }).spec, spec)
    const changes: ReadonlyArray<Partial<Scale.Scale>> = [
      { points: 5 },
      { curveRows: 8 },
      { testRows: 256 },
      { testBatch: 64 },
      { small: true },
      { training: { steps: 7 } }
    ]
    for (const change of changes) assert.notDeepEqual(Scale.make({ ...rest, ...change }).spec, spec)
  })
})
