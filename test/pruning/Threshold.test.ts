import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor } from "homodistil/backend"
import { Threshold } from "homodistil/pruning"

const score = fc.float({ noNaN: true })
const tensors = fc.array(fc.array(score, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 })
const shares = fc.double({ min: 0.001, max: 1, noNaN: true })

describe("the threshold of single weights", () => {
  it("is what a sorted list of all absolute scores has in its place", () =>
    fc.assert(
      fc.property(tensors, shares, (lists, ratio) => {
        const sorted = lists
          .flat()
          .map(Math.abs)
          .sort((a, b) => a - b)
        const going = Math.floor(sorted.length * (1 - ratio))
        const hosts = lists.map((list) => Tensor.host(list))
        assert.strictEqual(Threshold.of(hosts, ratio), going === 0 ? 0 : sorted[going])
      })
    ))

  it("lets all go but the share that remains, within one weight, however the weights are spread over tensors", () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 1e6 }), { minLength: 4, maxLength: 99 }),
        shares,
        (all, ratio) => {
          const parts = [all.slice(0, 3), all.slice(3)].map((list) => Tensor.host(list))
          const threshold = Threshold.of(parts, ratio)
          const left = parts.map((part) => Threshold.apply(part, part, threshold))
          const zeros = left.flatMap(({ data }) => [...data]).filter((x) => x === 0).length
          assert.isAtMost(Math.abs(zeros - (1 - ratio) * all.length), 1)
          // and whatever is left scores higher than all that went
          const kept = left.flatMap(({ data }) => [...data]).filter((x) => x !== 0)
          const gone = all.filter((x) => !kept.includes(x))
          assert.isAbove(Math.min(...kept), Math.max(0, ...gone))
        }
      )
    ))

  it("keeps equals together: before anything has been scored, nothing goes", () => {
    const nothing = Tensor.host([0, 0, 0, 0])
    assert.deepStrictEqual(
      [...Threshold.apply(Tensor.host([1, 2, 3, 4]), nothing, Threshold.of([nothing], 0.25)).data],
      [1, 2, 3, 4]
    )
    const tied = Tensor.host([1, 2, 2, 3])
    assert.deepStrictEqual([...Threshold.apply(tied, tied, Threshold.of([tied], 0.5)).data], [0, 2, 2, 3])
  })
})
