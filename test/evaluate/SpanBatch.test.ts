import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, OnnxBackend, TfjsBackend, transfer, tf } from "../../src/backend/index.ts"
import { SpanBatch, TunedModel } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { spansOf } from "./spans.ts"
import { config, model, randomRows } from "./tiny.ts"

const examples = spansOf(randomRows(3, 7))

/** The loss of a batch, its gradient in the head's weight, and its logits, by one backend. */
const lossBy = (batch: SpanBatch.SpanBatch) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const params = TunedModel.start(model(1), 2, Seed.make(0))
      const signature = { params: TunedModel.signature(params), batch: SpanBatch.signature(batch) }
      const compiled = yield* backend.compile("span loss", signature, (x) => {
        const of = (weight: tf.Tensor) => {
          const logits = SpanBatch.logits(config, batch.tokens, { ...x.params, "classifier.weight": weight }, x.batch)
          return { logits, loss: SpanBatch.loss(logits, x.batch) }
        }
        const weight = x.params["classifier.weight"] ?? tf.scalar(0)
        const { logits, loss } = of(weight)
        return { loss, logits, gradient: tf.grad((w) => of(w).loss)(weight) }
      })
      const live = yield* transfer.upload(backend, { params, batch: SpanBatch.inputs(batch) })
      const out = yield* transfer.download(backend, yield* compiled.run(live))
      return { loss: [...out.loss.data], logits: [...out.logits.data], gradient: [...out.gradient.data] }
    })
  )

describe("SpanBatch", () => {
  it("holds the chosen rows, filled up with the first of them", () => {
    const { tokens, labels, allowed } = SpanBatch.of(examples, [4, 2], 3)
    const row = (of: ArrayLike<number>, n: number) => Array.from({ length: 6 }, (_, i) => of[n * 6 + i])
    ;[4, 2, 4].forEach((example, n) => {
      assert.deepStrictEqual(row(tokens.ids, n), row(examples.ids, example))
      assert.deepStrictEqual(row(allowed, n), row(examples.allowed, example))
      assert.deepStrictEqual([labels[n], labels[3 + n]], [examples.starts[example], examples.ends[example]])
    })
  })

  it("has compiled the loss, logits and gradient it has eagerly, and a loss of its logits alone", async () => {
    const batch = SpanBatch.of(examples, [0, 1, 2, 3, 4], 5)
    const eager = await Effect.runPromise(Effect.provide(lossBy(batch), TfjsBackend.layer("cpu")))
    const compiled = await Effect.runPromise(Effect.provide(lossBy(batch), OnnxBackend.layer({ threads: 1 })))
    for (const key of ["loss", "logits", "gradient"] as const)
      compiled[key].forEach((x, i) =>
        assert.closeTo(x, eager[key][i] ?? Number.NaN, 1e-4 * Math.max(1, Math.abs(x)), key)
      )
    // by plain sums: starts of the five rows, then ends
    const losses = [...batch.labels].map((label, n) => {
      const row = eager.logits.slice(n * 6, (n + 1) * 6)
      return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - (row[label] ?? 0)
    })
    const mean = losses.reduce((sum, x) => sum + x, 0) / losses.length
    assert.closeTo(eager.loss[0] ?? Number.NaN, mean, 1e-4)
    eager.logits.forEach((x, i) => assert.strictEqual(x < -5000, batch.allowed[i % batch.allowed.length] === 0))
  })

  it("finds the best legal span, as a search over all pairs does", () => {
    const row = fc.array(
      fc.record({
        start: fc.integer({ min: -4, max: 4 }),
        end: fc.integer({ min: -4, max: 4 }),
        allowed: fc.constantFrom(0, 1, 1)
      }),
      { minLength: 1, maxLength: 9 }
    )
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 5 }), (columns, longest) => {
        const of = (key: "start" | "end" | "allowed") => columns.map((column) => column[key])
        const found = SpanBatch.best({ starts: of("start"), ends: of("end"), allowed: of("allowed") }, longest)
        const all = columns.flatMap((a, start) =>
          columns.flatMap((b, end) =>
            start >= 1 && start <= end && end - start < longest && a.allowed === 1 && b.allowed === 1
              ? [{ start, end, score: a.start + b.end }]
              : []
          )
        )
        const most = Math.max(...all.map(({ score }) => score))
        assert.deepStrictEqual(
          found,
          all.find(({ score }) => score === most)
        )
      })
    )
  })
})
