import { assert, describe, it } from "@effect/vitest"
import { ShapeError } from "homodistil/pruning"

describe("ShapeError", () => {
  it("names the axis, what was expected and what there was", () => {
    const error = new ShapeError({ axis: "layer.0.ffn", expected: "512 units", got: "128" })
    assert.strictEqual(error._tag, "ShapeError")
    assert.match(error.message, /axis layer\.0\.ffn: expected 512 units, got 128/)
  })
})
