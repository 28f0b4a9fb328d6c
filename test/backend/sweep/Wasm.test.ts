import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import {
  type Code,
  encode,
  f32x4,
  i32,
  local,
  overGroups,
  sequence,
  signed,
  unsigned
} from "../../../src/backend/sweep/Wasm.ts"
import { loopOf } from "../../../src/backend/sweep/Control.ts"
import * as WebAssembly from "../../../src/backend/sweep/WebAssembly.ts"

/** LEB128 read as its definition says: seven bits a byte, the lowest first; the last byte's bit 6 is the sign. */
const read = (code: Code, withSign: boolean): number => {
  const value = code.reduce((sum, byte, i) => sum + (byte & 127) * 2 ** (7 * i), 0)
  return withSign && ((code.at(-1) ?? 0) & 64) !== 0 ? value - 2 ** (7 * code.length) : value
}
const isWhole = (code: Code): boolean =>
  code.every((byte, i) => byte >= 0 && byte < 256 && byte > 127 === i < code.length - 1)

describe("numbers", () => {
  it("without sign are read back", () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
        assert.isTrue(isWhole(unsigned(value)))
        assert.strictEqual(read(unsigned(value), false), value)
      })
    ))

  it("with sign are read back", () =>
    fc.assert(
      fc.property(fc.integer(), (value) => {
        assert.isTrue(isWhole(signed(value)))
        assert.strictEqual(read(signed(value), true), value)
      })
    ))
})

describe("a module", () => {
  const doubled = encode({
    integers: 0,
    lanes: 1,
    code: overGroups(
      1,
      2,
      sequence(
        sequence(local.get(0), local.get(1), i32.add, f32x4.load, local.set(3)),
        sequence(local.get(0), local.get(1), i32.add, local.get(3), local.get(3), f32x4.add, f32x4.store)
      )
    )
  })

  it("runs its loop over whole groups of four, and not at all where there are none", () => {
    const memory = WebAssembly.memory(1)
    const run = loopOf(WebAssembly.compile(doubled), memory)
    const values = new Float32Array(memory.buffer, 0, 16)
    values.forEach((_, i) => (values[i] = i))
    run(0, 16, 48)
    run(0, 32, 32)
    run(0, 48, 32)
    assert.deepStrictEqual(
      [...values],
      Array.from({ length: 16 }, (_, i) => (i >= 4 && i < 12 ? 2 * i : i))
    )
  })
})
