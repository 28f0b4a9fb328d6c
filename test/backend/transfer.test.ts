import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Backend, Tensor, transfer } from "homodistil/backend"
import { engines, on } from "./engines.ts"

const tree = { a: Tensor.host([1, 2]), b: { c: Tensor.host([3], [1, 1], "int32"), d: {} } }

describe("transfer", () => {
  it.each(Object.entries(engines))("brings back what it took up, and then releases it (%s)", (_, layer) =>
    on(
      layer,
      Effect.gen(function* () {
        const backend = yield* Backend
        const live = yield* transfer.upload(backend, tree)
        assert.deepStrictEqual(yield* transfer.download(backend, live), tree)
        assert.strictEqual((yield* backend.live).tensors, 2)
        yield* transfer.release(backend, [live, {}])
        assert.strictEqual((yield* backend.live).tensors, 0)
      })
    )
  )

  it("tells host tensors from specs", () =>
    assert.deepStrictEqual([transfer.isHost(tree.a), transfer.isHost(Tensor.float(2))], [true, false]))
})
