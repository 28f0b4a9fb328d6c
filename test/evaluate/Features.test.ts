import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Features } from "../../src/evaluate/index.ts"
import { model, prunedBothWays, randomRows, rowsOf, run, tokensOf } from "./tiny.ts"

describe("Features", () => {
  it("are the same whatever the padding and the size of batches", () =>
    run(
      Effect.gen(function* () {
        const rows = randomRows(5, 9, 4)
        for (const [kind, short, long] of [
          ["sequence", rowsOf(rows, () => 1, 4), rowsOf(rows, () => 1, 6)],
          ["token", tokensOf(rows, (id) => id % 3, 4), tokensOf(rows, (id) => id % 3, 6)]
        ] as const) {
          const expected = yield* Features.of(model(3), kind, short, { rows: 9 })
          for (const [examples, size] of [
            [long, 9],
            [short, 4],
            [long, 2]
          ] as const) {
            const found = yield* Features.of(model(3), kind, examples, { rows: size })
            assert.deepStrictEqual(found.labels, expected.labels)
            found.features.data.forEach((x, i) => assert.closeTo(x, expected.features.data[i] ?? Number.NaN, 1e-5))
          }
        }
      })
    ))

  it("are one row for a labelled piece, or two layers' means for a row; of a masked model with its silent units at 0", () =>
    run(
      Effect.gen(function* () {
        const rows = randomRows(0, 9)
        const { cut, masked } = prunedBothWays(model(3))
        const pieces = yield* Features.of(
          cut,
          "token",
          tokensOf(rows, (id) => (id === 7 ? -1 : 0)),
          { rows: 4 }
        )
        assert.deepStrictEqual(pieces.features.shape, [rows.flat().filter((id) => id !== 7).length, 5])
        const sequences = rowsOf(rows, (row) => row.length % 3)
        const narrow = yield* Features.of(cut, "sequence", sequences, { rows: 4 })
        const wide = yield* Features.of(masked, "sequence", sequences, { rows: 4 })
        assert.deepStrictEqual(
          [narrow.features.shape, wide.features.shape],
          [
            [9, 10],
            [9, 16]
          ]
        )
        const kept = [0, 2, 3, 5, 7]
        wide.features.data.forEach((x, i) => {
          const at = kept.indexOf(i % 8)
          const expected = at < 0 ? 0 : narrow.features.data[Math.floor(i / 8) * 5 + at]
          assert.closeTo(x, expected ?? Number.NaN, 1e-5)
        })
      })
    ))
})
