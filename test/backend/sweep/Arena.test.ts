import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import type { HostArray } from "homodistil/backend"
import * as Arena from "../../../src/backend/sweep/Arena.ts"

const bytes = (length: number): number => Math.max(1, Math.ceil((4 * length) / 64)) * 64

/** Commands: a length to allocate, or which of the live vectors to free. */
const command = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ length: fc.nat(300), dtype: fc.constantFrom("float32" as const, "int32" as const) })
  },
  { weight: 2, arbitrary: fc.record({ free: fc.nat(1000) }) }
)

describe("Arena", () => {
  it("gives the lowest free aligned place, filled with zeros, whatever was allocated and freed before", () =>
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const arena = Arena.make(64)
        let live: ReadonlyArray<HostArray> = []
        for (const one of commands) {
          if ("free" in one) {
            const array = live[one.free % Math.max(live.length, 1)]
            if (array === undefined) continue
            arena.free(array)
            live = live.filter((other) => other !== array)
          } else {
            const isFree = (begin: number): boolean =>
              live.every(
                ({ byteOffset, length }) =>
                  begin + bytes(one.length) <= byteOffset || begin >= byteOffset + bytes(length)
              )
            let place = 64
            while (!isFree(place)) place += 64
            const array = arena.allocate(one.length, one.dtype)
            assert.deepStrictEqual([array.byteOffset, array.length], [place, one.length])
            assert.strictEqual(array instanceof Int32Array, one.dtype === "int32")
            assert.isTrue(array.every((value) => value === 0))
            array.fill(-1)
            live = [...live, array]
          }
          assert.strictEqual(
            arena.used(),
            live.reduce((sum, { length }) => sum + bytes(length), 0)
          )
          assert.isTrue(live.every((array) => arena.holds(array) && array.every((value) => value === -1)))
        }
        // what was apart grows together again
        live.forEach(arena.free)
        assert.strictEqual(arena.used(), 0)
        assert.strictEqual(arena.allocate(100_000, "float32").byteOffset, 64)
      })
    ))

  it("keeps vectors in place when it grows", () => {
    const arena = Arena.make(1024)
    const first = arena.allocate(3, "float32")
    first.set([1, 2, 3])
    const size = arena.memory.buffer.byteLength
    const second = arena.allocate(8_000_000, "float32")
    assert.isAbove(arena.memory.buffer.byteLength, size)
    first[1] = 5
    assert.deepStrictEqual([...new Float32Array(arena.memory.buffer, first.byteOffset, 3)], [1, 5, 3])
    assert.isTrue(arena.holds(first) && arena.holds(second) && arena.holds(second.subarray(5, 7)))
  })

  it("leaves what was there where no zeros are asked for", () => {
    const arena = Arena.make(1)
    const array = arena.allocate(16, "float32")
    array.fill(7)
    arena.free(array)
    assert.isTrue(arena.allocate(16, "float32", { zero: false }).every((value) => value === 7))
  })

  it("takes memory from the system only when it is written", () => {
    const arena = Arena.make()
    const before = process.memoryUsage.rss()
    const array = arena.allocate(100_000_000, "float32")
    assert.isTrue(arena.holds(array))
    assert.isBelow(process.memoryUsage.rss() - before, 100_000_000)
  })

  it("gives ordinary arrays where it is used up", () => {
    const arena = Arena.make(2)
    const inside = arena.allocate(30_000, "float32")
    const outside = arena.allocate(30_000, "int32")
    assert.deepStrictEqual([arena.holds(inside), arena.holds(outside)], [true, false])
    assert.isTrue(outside instanceof Int32Array && outside.length === 30_000 && outside.every((value) => value === 0))
    arena.free(outside)
    arena.free(inside)
    assert.isTrue(arena.holds(arena.allocate(30_000, "int32")))
  })

  it("misses a vector that is freed twice, or that is a part of another", () => {
    const arena = Arena.make(1)
    const array = arena.allocate(100, "float32")
    assert.throws(() => arena.free(array.subarray(1)), /no vector begins at 68/)
    arena.free(array)
    assert.throws(() => arena.free(array), /freed already/)
  })

  it("is one for each thread", () => assert.strictEqual(Arena.ofThread(), Arena.ofThread()))
})
