import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { Tensor } from "../../src/backend/index.ts"
import { TextBatch } from "../../src/evaluate/index.ts"
import { encodedToy } from "./texts.ts"

const inputs = fc.record({
  pair: fc.boolean(),
  seed: fc.nat(20),
  rows: fc.integer({ min: 1, max: 6 }),
  pooling: fc.constantFrom("mean" as const, "cls" as const),
  chosen: fc.uniqueArray(fc.nat(39), { minLength: 1, maxLength: 6 })
})

describe("TextBatch", () => {
  it("holds the chosen texts, piece by piece, and nothing that counts beside them", () => {
    fc.assert(
      fc.property(inputs, ({ pair, seed, rows, pooling, chosen: some }) => {
        const encoded = encodedToy({ pair, seed, labels: { kind: "score" } })
        const texts = encoded.train
        const chosen = some.slice(0, rows)
        const length = 6
        const { tokens, pool, labels, weights } = TextBatch.of(encoded, texts, { length, chosen }, { rows, pooling })
        for (let row = 0; row < rows; row++) {
          const text = chosen[row] ?? chosen[0] ?? 0
          const own = texts.ids.subarray(texts.offsets[text], texts.offsets[text + 1])
          const count = own.length
          let share = 0
          for (let at = 0; at < length; at++) {
            const place = row * length + at
            assert.strictEqual(tokens.ids[place], own[at] ?? encoded.pad)
            assert.strictEqual(tokens.attention?.[place], at < count ? 1 : 0)
            const second = at < count && at >= (texts.seconds[text] ?? 0)
            assert.strictEqual(tokens.types?.[place], pair ? Number(second) : undefined)
            if (pooling === "cls") assert.strictEqual(pool[place], at === 0 ? 1 : 0)
            share += pool[place] ?? 0
          }
          assert.closeTo(share, 1, 1e-6)
          assert.strictEqual(labels[row], texts.labels[text])
          assert.strictEqual(weights[row], row < chosen.length ? 1 : 0)
        }
      })
    )
  })

  it("has inputs of its signature, and labels as they are asked for", () => {
    for (const pair of [false, true])
      for (const kind of ["classes", "score"] as const) {
        const encoded = encodedToy({ pair, labels: kind === "score" ? { kind } : { kind, classes: ["low", "high"] } })
        const batch = TextBatch.of(encoded, encoded.train, { length: 6, chosen: [0, 1] }, { rows: 3, pooling: "mean" })
        const standard = kind === "score" ? { centre: 2, spread: 4 } : undefined
        const inputs = TextBatch.inputs(batch, standard)
        const signature = TextBatch.signature(encoded.task, { rows: 3, length: 6 })
        const { labels } = inputs
        assert.strictEqual(labels.dtype, signature.labels.dtype)
        assert.deepStrictEqual(labels.shape, signature.labels.shape)
        assert.deepStrictEqual(Object.keys(inputs.tokens.types), Object.keys(signature.tokens.types))
        assert.strictEqual(Tensor.elements(signature.pool.shape), inputs.pool.data.length)
        const expected = [...batch.labels].map((label) => (standard === undefined ? label : (label - 2) / 4))
        labels.data.forEach((label, i) => assert.closeTo(label, expected[i] ?? Number.NaN, 1e-6))
      }
  })
})
