import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { evaluate, Tensor } from "homodistil/backend"
import { mix } from "homodistil/importance"

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
const at = async (a: number, b: number, rate: number): Promise<number> => {
  const y = await evaluate((x, y, r) => mix(x ?? y, y, r), Tensor.host([a]), Tensor.host([b]), Tensor.scalar(rate))
  return y.data[0] ?? Number.NaN
}

describe("mix", () => {
  it("is exactly its ends, however far apart they are", () =>
    fc.assert(
      fc.asyncProperty(float, float, async (a, b) => {
        assert.isTrue((await at(a, b, 0)) === a && (await at(a, b, 1)) === b)
      })
    ))

  it("is between them on the way", async () => {
    assert.closeTo(await at(2, 6, 0.25), 3, 1e-6)
  })
})
