import { assert, describe, it } from "@effect/vitest"
import { Tensor } from "homodistil/backend"
import { Tokens } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { randomTokens } from "./tiny.ts"

const seed = Seed.make(0)
const plain = randomTokens(seed, 2)
const full = randomTokens(seed, 2, { padding: true, types: true })

describe("token sequences", () => {
  it("become inputs that fit their signature", () => {
    assert.deepStrictEqual(Tokens.inputs(plain), {
      ids: Tensor.host(plain.ids, [12], "int32"),
      attention: {},
      types: {}
    })
    assert.deepStrictEqual(Tokens.signature(plain), { ids: Tensor.int(12), attention: {}, types: {} })
    const [inputs, signature] = [Tokens.inputs(full), Tokens.signature(full)]
    assert.deepStrictEqual(inputs.attention["mask"]?.shape, signature.attention["mask"]?.shape)
    assert.deepStrictEqual(inputs.types["ids"]?.dtype, signature.types["ids"]?.dtype)
  })

  it("share a compiled text exactly where their signatures are equal", () => {
    const batches = [plain, randomTokens(Seed.make(1), 2), full, randomTokens(seed, 3), { ...full, types: undefined }]
    for (const a of batches)
      for (const b of batches)
        assert.strictEqual(
          Tokens.shapeKey(a) === Tokens.shapeKey(b),
          JSON.stringify([a.rows, a.length, Tokens.signature(a)]) ===
            JSON.stringify([b.rows, b.length, Tokens.signature(b)])
        )
  })
})
