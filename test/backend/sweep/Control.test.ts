import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { BLOCK, control, loopOf, work, WORDS } from "../../../src/backend/sweep/Control.ts"
import { encode } from "../../../src/backend/sweep/Wasm.ts"
import * as WebAssembly from "../../../src/backend/sweep/WebAssembly.ts"

const wordsOf = (bytes: number): Int32Array => {
  const words = new Int32Array(new SharedArrayBuffer(4 * WORDS))
  words[control.arguments] = 64
  words[control.bytes] = bytes
  return words
}

describe("work", () => {
  it("covers all bytes once, however the threads take turns", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 0, max: 20 }), (groups, stolen) => {
        const bytes = 16 * groups
        const words = wordsOf(bytes)
        const seen: Array<readonly [number, number]> = []
        const blocks = Math.ceil(bytes / BLOCK)
        // blocks that another thread took before
        words[control.next] = stolen
        const taken = work(words, (job, from, end) => {
          assert.strictEqual(job, 64)
          seen.push([from, end])
        })
        assert.strictEqual(taken, Math.max(0, blocks - stolen))
        seen.forEach(([from, end], i) => {
          assert.strictEqual(from, (stolen + i) * BLOCK)
          assert.isTrue(end > from && end <= from + BLOCK)
        })
        if (taken > 0) assert.strictEqual(seen.at(-1)?.[1], bytes)
      })
    ))

  it("reads sizes above 2 GiB", () => {
    const words = wordsOf(3 * 2 ** 30)
    assert.strictEqual(
      work(words, () => {}),
      (3 * 2 ** 30) / BLOCK
    )
  })
})

describe("loopOf", () => {
  it("is the function of a module", () => {
    const module = WebAssembly.compile(encode({ integers: 0, lanes: 0, code: [] }))
    assert.strictEqual(loopOf(module, WebAssembly.memory(1))(0, 0, 0), undefined)
  })
})
