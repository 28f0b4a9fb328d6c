import { assert, describe, it } from "@effect/vitest"
import * as Scorer from "homodistil/importance"

describe("scores over a window", () => {
  it("have one name, whatever the window", () => {
    for (const window of [1, 2, 10]) {
      assert.deepStrictEqual(Scorer.fisher({ window }).spec, { name: "fisher", version: 1, options: { window } })
    }
  })

  it("of one step remember that step alone", () => {
    const scorer = Scorer.gradient({ window: 1 })
    assert.deepStrictEqual([scorer.slots, scorer.momentary, scorer.scalars(7)], [["last"], true, {}])
  })

  it("are checked under their own name", () => {
    assert.throws(() => Scorer.taylor({ window: 2.5 }), /taylor\.window = 2\.5: must be an integer/)
  })
})
