import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { StateTensors } from "homodistil/experiment"

describe("StateTensors", () => {
  it("names every tensor once, by its kind, its slot and its parameter, and hands it on as it is", () => {
    const [a, b, c, d] = [1, 2, 3, 4].map((x) => Tensor.host([x]))
    assert.ok(a && b && c && d)
    const train = { params: { w: a, v: b }, moments: { mean: { w: c } }, slots: { "inner.mean": { w: d } } }
    const flat = StateTensors.flat(train, (...path) => path.join("|"))
    assert.deepStrictEqual(Object.keys(flat), ["params|w", "params|v", "moments|mean|w", "slots|inner.mean|w"])
    assert.strictEqual(flat["slots|inner.mean|w"], d)
  })
})
