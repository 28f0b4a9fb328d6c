import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { evaluate, Tensor } from "../../src/backend/index.ts"
import { TaskBatch } from "../../src/evaluate/index.ts"
import { randomRows, rowsOf, tokensOf } from "./tiny.ts"

describe("TaskBatch", () => {
  it("shows every example once, in batches of one shape, and fills up at weight 0", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        (count, rows, token) => {
          const texts = randomRows(count, count)
          const examples = token ? tokensOf(texts, (id) => id % 3) : rowsOf(texts, (row) => row.length % 3)
          const batches = TaskBatch.all(token ? "token" : "sequence", examples, { rows, pooling: "mean" })
          assert.lengthOf(batches, Math.ceil(count / rows))
          for (const { tokens, labels, weights, pool } of batches) {
            assert.deepStrictEqual([tokens.ids.length, pool.length], [rows * 6, rows * 6])
            assert.deepStrictEqual([labels.length, weights.length], Array(2).fill(token ? rows * 6 : rows))
          }
          const seen = batches.flatMap(({ labels, weights }) => [...labels].filter((_, i) => weights[i] === 1))
          assert.deepStrictEqual(
            seen,
            [...examples.labels].filter((label) => label >= 0)
          )
        }
      )
    )
  })

  it("pools the mean over pieces, or [CLS]", async () => {
    const examples = rowsOf(
      [
        [2, 7, 8],
        [2, 9]
      ],
      () => 0,
      3
    )
    const states = Tensor.host([1, 10, 2, 20, 6, 60, 4, 40, 8, 80, 999, 999], [6, 2])
    const pooledBy = async (pooling: TaskBatch.Pooling) => {
      const { pool } = TaskBatch.of("sequence", examples, [0, 1], { rows: 2, pooling })
      return [
        ...(await evaluate((x, y) => (x && y ? TaskBatch.pooled(x, y) : x), states, Tensor.host(pool, [2, 3]))).data
      ]
    }
    const mean = await pooledBy("mean")
    ;[3, 30, 6, 60].forEach((x, i) => assert.closeTo(mean[i] ?? 0, x, 1e-5))
    assert.deepStrictEqual(await pooledBy("cls"), [1, 10, 4, 40])
  })
})
