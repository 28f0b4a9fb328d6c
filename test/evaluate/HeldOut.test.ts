import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, Tensor, transfer } from "../../src/backend/index.ts"
import type { MaskedBatch } from "../../src/data/index.ts"
import { CutModel, HeldOut } from "../../src/evaluate/index.ts"
import { Bert, Model, Tokens } from "../../src/model/index.ts"
import { batch, model, prunedBothWays, run } from "./tiny.ts"

/** The logits of a model at a batch's positions, one row each. */
const logitsOf = (of: Model.Model, given: MaskedBatch) =>
  Effect.scoped(
    Effect.gen(function* () {
      const backend = yield* Backend
      const compiled = yield* backend.compile(
        "logits",
        { model: Model.signature(of), tokens: Tokens.signature(given), positions: Tensor.int(given.positions.length) },
        (x) => {
          const outputs = Bert.encode(x.model.parameters, of.config, Tokens.tensors(given, x.tokens))
          return { logits: Bert.maskedLmLogits(x.model.parameters, of.config, Bert.last(outputs), x.positions) }
        }
      )
      const inputs = yield* transfer.upload(backend, {
        model: Model.inputs(of),
        tokens: Tokens.inputs(given),
        positions: Tensor.of(given.positions)
      })
      const out = yield* compiled.run(inputs)
      const { data } = (yield* transfer.download(backend, out)).logits
      yield* transfer.release(backend, [inputs, out])
      const width = of.config.vocabSize
      return Array.from({ length: data.length / width }, (_, row) => [...data.subarray(row * width, (row + 1) * width)])
    })
  )

const logSoftmax = (row: ReadonlyArray<number>): ReadonlyArray<number> => {
  const most = Math.max(...row)
  const sum = row.reduce((all, x) => all + Math.exp(x - most), 0)
  return row.map((x) => x - most - Math.log(sum))
}

const batches = [
  batch(1, { rows: 5, padded: false }),
  batch(2, { rows: 5, padded: false }),
  batch(3, { rows: 3, padded: true })
]

describe("HeldOut", () => {
  it("agrees with plain loops over the logits", () =>
    run(
      Effect.gen(function* () {
        const [student, teacher] = [model(0), model(1)]
        const measured = yield* Effect.scoped(
          Effect.flatMap(HeldOut.reference(teacher, batches), (reference) => HeldOut.measure(student, reference))
        )
        let [loss, right, discrepancy, tokens] = [0, 0, 0, 0]
        for (const given of batches) {
          const [q, p] = [yield* logitsOf(student, given), yield* logitsOf(teacher, given)]
          q.forEach((row, n) => {
            const [student, teacher] = [logSoftmax(row), logSoftmax(p[n] ?? [])]
            const label = given.labels[n] ?? -1
            loss -= student[label] ?? Number.NaN
            right += row.every((x, i) => i === label || x < (row[label] ?? 0)) ? 1 : 0
            teacher.forEach((x, i) => (discrepancy += Math.exp(x) * (x - (student[i] ?? 0))))
            tokens++
          })
        }
        assert.strictEqual(measured.tokens, tokens)
        assert.closeTo(measured.loss, loss / tokens, 1e-5)
        assert.closeTo(measured.accuracy, right / tokens, 1e-9)
        assert.closeTo(measured.discrepancy, discrepancy / tokens, 1e-5)
        assert.isAbove(measured.discrepancy, 0.01)
      })
    ))

  it("finds no discrepancy of a model to itself, and never a negative one to another", () =>
    run(
      Effect.scoped(
        Effect.gen(function* () {
          const reference = yield* HeldOut.reference(model(0), batches)
          assert.closeTo((yield* HeldOut.measure(model(0), reference)).discrepancy, 0, 1e-6)
          for (let seed = 1; seed < 6; seed++)
            assert.isAbove((yield* HeldOut.measure(model(seed), reference)).discrepancy, 0)
        })
      )
    ))

  it("measures a masked model as the cut one", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), (seed) =>
        run(
          Effect.scoped(
            Effect.gen(function* () {
              const reference = yield* HeldOut.reference(model(seed), batches)
              const { cut, masked } = prunedBothWays(model(seed))
              const expected = yield* HeldOut.measure(cut, reference)
              for (const same of [masked, CutModel.of(masked)]) {
                const measured = yield* HeldOut.measure(same, reference)
                assert.closeTo(measured.loss, expected.loss, 1e-5)
                assert.closeTo(measured.discrepancy, expected.discrepancy, 1e-5)
                assert.closeTo(measured.accuracy, expected.accuracy, 1e-9)
              }
            })
          )
        )
      ),
      { numRuns: 5 }
    ))

  it("measures without a teacher", () =>
    run(
      Effect.gen(function* () {
        const alone = yield* HeldOut.measure(model(0), HeldOut.withoutTeacher(batches))
        assert.strictEqual(alone.discrepancy, 0)
        assert.isAbove(alone.loss, 0)
      })
    ))
})
