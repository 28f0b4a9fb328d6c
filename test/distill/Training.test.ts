import { Training } from "homodistil/distill"
import { assert, it } from "vitest"

it("training options have defaults, are described, and are refused all at once", () => {
  assert.deepEqual(Training.make().spec.options, {
    steps: 400,
    rows: 16,
    length: 64,
    maskRate: 0.15,
    pruneEvery: 10,
    hiddenDropout: 0,
    attentionDropout: 0
  })
  assert.throws(() => Training.make({ steps: 0, maskRate: 2 }), /training\.steps = 0[^]*training\.maskRate = 2/)
})
