import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, Tensor, transfer } from "homodistil/backend"
import { Teacher } from "homodistil/distill"
import type { Tap } from "homodistil/loss"
import { Tokens } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { assert, describe, it } from "vitest"
import { batch, config, native, teacher } from "./samples.ts"

const example = batch(Seed.make(0), 0)
const shape = { tokens: example, masked: example.positions.length }

describe("the teacher's forward pass", () => {
  it("exposes what was asked for, in the shapes it promises, and nothing else", async () => {
    const shapes = await native(
      Effect.scoped(
        Effect.gen(function* () {
          const backend = yield* Backend
          const text = yield* Teacher.compile(teacher, ["hidden", "logits"], shape)
          const inputs = yield* transfer.upload(backend, {
            tokens: Tokens.inputs(example),
            positions: Tensor.of(example.positions)
          })
          const out = yield* text.run(inputs)
          const found = {
            hidden: out.hidden["1"]?.shape,
            logits: out.logits["value"]?.shape,
            rest: [out.embedding, out.scores]
          }
          yield* transfer.release(backend, [inputs, out])
          return found
        })
      )
    )
    assert.deepEqual(shapes, { hidden: [40, 16], logits: [6, 40], rest: [{}, {}] })
    const promised = Teacher.signature(config, ["hidden", "logits"], shape)
    assert.deepEqual(promised.hidden["1"]?.shape, [40, 16])
  })

  it("gives the same bytes whatever else is tapped", async () => {
    const taps = ["embedding", "hidden", "scores", "values", "logits"] as const
    const outputsOf = (asked: ReadonlyArray<Tap>) =>
      Effect.gen(function* () {
        const backend = yield* Backend
        const text = yield* Teacher.compile(teacher, asked, shape)
        const inputs = yield* transfer.upload(backend, {
          tokens: Tokens.inputs(example),
          positions: Tensor.of(example.positions)
        })
        const out = yield* text.run(inputs)
        const found = yield* transfer.download(backend, out)
        yield* transfer.release(backend, [inputs, out])
        return found
      }).pipe(Effect.scoped)
    const whole = await native(outputsOf(taps))
    await fc.assert(
      fc.asyncProperty(fc.subarray([...taps], { minLength: 1 }), async (asked) => {
        assert.deepStrictEqual(await native(outputsOf(asked)), Teacher.only(whole, asked))
      }),
      { numRuns: 8 }
    )
  })

  it("refuses to be read where the loss did not ask", () => {
    const outputs = Teacher.outputs({ embedding: {}, hidden: {}, scores: {}, values: {}, logits: {} })
    assert.throws(() => outputs.logits, /tap logits without naming it/)
    assert.deepEqual(outputs.hidden, [])
  })
})
