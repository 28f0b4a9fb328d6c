import { assert, describe, it } from "@effect/vitest"
import { loopOf } from "../../../src/backend/sweep/Control.ts"
import * as Kernel from "../../../src/backend/sweep/kernel.ts"
import { bitsOf, type Program } from "../../../src/backend/sweep/Program.ts"
import * as WebAssembly from "../../../src/backend/sweep/WebAssembly.ts"

/** x ← y, y ← x (1 - rate): each is made of the other's old value. */
const swap: Program = {
  steps: [
    { kind: "vector", name: "y" },
    { kind: "vector", name: "x" },
    { kind: "constant", bits: bitsOf(1) },
    { kind: "scalar", name: "rate" },
    { kind: "operation", operation: "sub", inputs: [2, 3] },
    { kind: "operation", operation: "mul", inputs: [1, 4] }
  ],
  outputs: [
    { vector: "x", value: 0 },
    { vector: "y", value: 5 }
  ]
}

describe("a kernel", () => {
  it("lists vectors and scalars in the order in which it wants them", () => {
    const { vectors, scalars } = Kernel.compile(swap)
    assert.deepStrictEqual(vectors, [
      { name: "x", reads: true, writes: true },
      { name: "y", reads: true, writes: true }
    ])
    assert.deepStrictEqual(scalars, ["rate"])
  })

  it("of equal programs has equal bytes", () =>
    assert.deepStrictEqual(Kernel.compile(swap).bytes, Kernel.compile(structuredClone(swap)).bytes))

  it("makes every result before it writes the first, on the bytes it is told to", () => {
    const memory = WebAssembly.memory(1)
    const run = loopOf(WebAssembly.compile(Kernel.compile(swap).bytes), memory)
    const [integers, floats] = [new Int32Array(memory.buffer), new Float32Array(memory.buffer)]
    integers.set([1000, 2000])
    floats[2] = 0.75
    for (let i = 0; i < 12; i++) {
      floats[250 + i] = i
      floats[500 + i] = -i
    }
    run(0, 16, 32)
    const inside = (i: number): boolean => i >= 4 && i < 8
    for (let i = 0; i < 12; i++)
      assert.deepStrictEqual([floats[250 + i], floats[500 + i]], inside(i) ? [-i, i / 4] : [i, i === 0 ? -0 : -i])
  })
})
