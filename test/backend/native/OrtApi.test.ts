import { setImmediate } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { addressOf, created, ortApi } from "../../../src/backend/native/OrtApi.ts"

describe("ONNX Runtime's C interface", () => {
  it("is loaded once", () => assert.strictEqual(ortApi(), ortApi()))

  it("stays when the garbage is collected", async () => {
    ortApi()
    setFlagsFromString("--expose-gc")
    const collect: unknown = runInNewContext("gc")
    for (let i = 0; i < 5; i++) {
      if (typeof collect === "function") Reflect.apply(collect, undefined, [])
      await setImmediate()
    }
    const memory = created((place) => ortApi().CreateCpuMemoryInfo.now(0, 0, place))
    assert.notStrictEqual(Number(memory), 0)
  })

  it("makes things and ends them", () => {
    const options = created((place) => ortApi().CreateSessionOptions.now(place))
    assert.notStrictEqual(Number(options), 0)
    ortApi().SetIntraOpNumThreads.now(options, 2)
    ortApi().ReleaseSessionOptions.now(options)
  })

  it("fails with the runtime's own words, here and now or on another thread", async () => {
    const memory = created((place) => ortApi().CreateCpuMemoryInfo.now(0, 0, place))
    const tooShort = [
      memory,
      addressOf(new Float32Array(2)),
      8,
      BigInt64Array.of(3n),
      1,
      1,
      new BigUint64Array(1)
    ] as const
    const message = /not enough space: expected 12, got 8/
    assert.throws(() => ortApi().CreateTensorWithDataAsOrtValue.now(...tooShort), message)
    const error = await ortApi()
      .CreateTensorWithDataAsOrtValue.aside(...tooShort)
      .then(
        () => assert.fail("it did not fail"),
        (cause: unknown) => cause
      )
    assert.match(String(error), message)
  })

  it("does not take arguments of other types, and goes on after that", async () => {
    assert.throws(() => ortApi().SetIntraOpNumThreads.now("options", 2), /Unexpected/)
    // more than can be under way at once: each that fails must make room for another
    const odd = Array.from({ length: 200 }, () => ortApi().SetIntraOpNumThreads.aside("options", 2))
    for (const { status } of await Promise.allSettled(odd)) assert.strictEqual(status, "rejected")
    const options = created((place) => ortApi().CreateSessionOptions.now(place))
    await ortApi().SetIntraOpNumThreads.aside(options, 2)
    ortApi().ReleaseSessionOptions.now(options)
  })

  it("finds numbers where they lie, also in the middle of an array", () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(39), (length, from) => {
        const whole = new Float32Array(length)
        const at = Math.min(from, length - 1)
        assert.strictEqual(BigInt(addressOf(whole.subarray(at))) - BigInt(addressOf(whole)), BigInt(4 * at))
      })
    ))
})
