import { assert, describe, it } from "@effect/vitest"
import { encode } from "../../../src/backend/sweep/Wasm.ts"
import * as WebAssembly from "../../../src/backend/sweep/WebAssembly.ts"

describe("WebAssembly", () => {
  it("tells its values from others", () => {
    const memory = WebAssembly.memory(2)
    const module = WebAssembly.compile(encode({ integers: 0, lanes: 0, code: [] }))
    assert.deepStrictEqual([memory, module, {}, null].map(WebAssembly.isMemory), [true, false, false, false])
    assert.deepStrictEqual([memory, module, {}, null].map(WebAssembly.isModule), [false, true, false, false])
    assert.deepStrictEqual(Object.keys(WebAssembly.instantiate(module, memory)), ["run"])
  })

  it("keeps earlier buffers of a memory that grows", () => {
    const memory = WebAssembly.memory(2)
    const early = new Float32Array(memory.buffer)
    memory.grow(1)
    early[3] = 9
    assert.strictEqual(new Float32Array(memory.buffer)[3], 9)
    assert.throws(() => memory.grow(1), RangeError)
  })
})
