import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Tensor } from "../../src/backend/index.ts"
import * as Safetensors from "../../src/checkpoint/Safetensors.ts"
import * as SafetensorsFile from "../../src/checkpoint/SafetensorsFile.ts"
import { bitsOf, inFolder } from "./samples.ts"

// more elements than are widened at once
const large = 200_000

/** A file of halves as large as that, and one of float32 with an odd header, so that nothing is aligned. */
const halves = (dtype: string): Uint8Array => {
  const header = new TextEncoder().encode(
    JSON.stringify({ h: { dtype, shape: [large], data_offsets: [0, 2 * large] }, __metadata__: { note: "x" } })
  )
  const bytes = new Uint8Array(8 + header.length + 2 * large)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, 8)
  for (let i = 0; i < large; i++) bytes.set([i & 255, (i >> 8) & 255], 8 + header.length + 2 * i)
  return bytes
}
const plain = Safetensors.encode({
  a: Tensor.host(Float32Array.from({ length: large }, (_, i) => Math.sin(i))),
  b: Tensor.host([1, -2, 3], [3, 1], "int32"),
  none: Tensor.host([], [0, 2])
})

describe("open", () => {
  for (const [what, bytes] of [
    ["float32, integers and nothing", plain],
    ["float16", halves("F16")],
    ["bfloat16", halves("BF16")]
  ] as const)
    it(`reads ${what} as decoding the bytes at once does, and knows its own bits`, () =>
      inFolder((folder, fs) =>
        Effect.scoped(
          Effect.gen(function* () {
            yield* fs.writeFile(`${folder}/x`, bytes)
            const whole = Result.getOrThrow(Safetensors.decode(bytes))
            const file = yield* SafetensorsFile.open(`${folder}/x`)
            assert.deepStrictEqual(file.metadata, whole.metadata)
            for (const region of file.regions) {
              const tensor = yield* file.read(region)
              const expected = whole.values[region.name] ?? assert.fail(region.name)
              assert.deepStrictEqual(bitsOf({ tensor }), bitsOf({ tensor: expected }))
              assert.isTrue(yield* file.holds(region, tensor))
              if (tensor.data.length === 0) continue
              const last = tensor.data.length - 1
              const other = { ...tensor, data: tensor.data.map((x, i) => (i === last ? x + 1 : x)) }
              assert.isFalse(yield* file.holds(region, other))
              assert.isFalse(yield* file.holds(region, Tensor.host(tensor.data.slice(1), undefined, tensor.dtype)))
            }
          })
        )
      ))

  it("leaves out what is ignored, whatever its type", () =>
    inFolder((folder, fs) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* fs.writeFile(`${folder}/x`, halves("F8_E5M2x"))
          const error = yield* Effect.flip(SafetensorsFile.open(`${folder}/x`))
          assert.match(error.message, /x: h has dtype "F8_E5M2x", not one of F32, F16, BF16, I32;/)
          const file = yield* SafetensorsFile.open(`${folder}/x`, (name) => name === "h")
          const region = file.regions[0] ?? assert.fail()
          assert.throws(() => Effect.runSync(file.read(region)), /the values of h were not wanted/)
        })
      )
    ))

  it("refuses a header above half a megabyte without reading it", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        const bytes = new Uint8Array(2 ** 19 + 100)
        new DataView(bytes.buffer).setBigUint64(0, BigInt(2 ** 19 + 1), true)
        yield* fs.writeFile(`${folder}/x`, bytes)
        const error = yield* Effect.flip(Effect.scoped(SafetensorsFile.open(`${folder}/x`)))
        assert.match(error.message, /says its header has 524289 bytes, above the 524288 that are read/)
      })
    ))

  it("refuses a file that is too short, or not there", () =>
    inFolder((folder, fs) =>
      Effect.gen(function* () {
        yield* fs.writeFile(`${folder}/x`, new Uint8Array(3))
        const message = (name: string) =>
          Effect.map(Effect.flip(Effect.scoped(SafetensorsFile.open(`${folder}/${name}`))), (error) => error.message)
        assert.match(yield* message("x"), /x: has 3 bytes, not even the 8/)
        assert.match(yield* message("y"), /y: cannot be read \(NotFound\)/)
      })
    ))
})
