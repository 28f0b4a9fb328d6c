import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, evaluate, evaluateAll, Tensor, TfjsBackend, tf } from "homodistil/backend"
import { engines, evaluateWith, on } from "./engines.ts"

describe("an eager backend", () => {
  it.each(["node", "node-gpu"] as const)("that is not installed says so, and what to do (%s)", async (name) => {
    const error = await Effect.runPromise(
      Effect.flip(Effect.provide(Backend, TfjsBackend.layer(name)).pipe(Effect.asVoid))
    )
    assert.strictEqual(error._tag, "BackendUnavailable")
    assert.match(
      error.message,
      new RegExp(`^backend ${name} is not available: Cannot find package '@tensorflow/tfjs-${name}'`)
    )
    assert.match(error.message, new RegExp(`; install @tensorflow/tfjs-${name}$`))
  })

  it.each(["cpu", "wasm"] as const)("leaves tfjs' own count of tensors as it was (%s)", (engine) =>
    on(
      engines[engine],
      Effect.gen(function* () {
        const before = tf.memory().numTensors
        const input = { x: Tensor.host([1, 2, 3]) }
        yield* evaluateWith(input, ({ x }) => ({
          y: tf.mul(x ?? 0, 2),
          z: tf.grad((t) => tf.sum(tf.square(t)))(x ?? tf.scalar(0))
        }))
        const error = yield* Effect.flip(evaluateWith(input, ({ x }) => ({ y: tf.add(tf.neg(x ?? 0), [1, 2]) })))
        assert.match(
          error.message,
          new RegExp(`^running text failed: ${engine}: .*broadcast.* \\(at .*TfjsBackend\\.test\\.ts`)
        )
        assert.strictEqual(tf.memory().numTensors, before)
        assert.deepStrictEqual(yield* (yield* Backend).live, { tensors: 0, sessions: 0 })
      })
    )
  )

  it("names a kernel it lacks", () =>
    on(
      engines.wasm,
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          evaluateWith({ x: Tensor.host([1, 2]) }, ({ x }) => ({
            y: tf.einsum("i->", x ?? tf.scalar(0))
          }))
        )
        assert.match(error.message, /wasm: it has no kernel Einsum \(at .*TfjsBackend\.test\.ts/)
      })
    ))

  it("works beside another, whichever tfjs holds active", async () => {
    await tf.setBackend("cpu")
    const twice = evaluateWith({ x: Tensor.host([1, 2]) }, ({ x }) => ({ y: tf.mul(x ?? 0, 2) }))
    const [a, b, c] = await Promise.all([on(engines.wasm, twice), on(engines.onnx, twice), on(engines.cpu, twice)])
    assert.deepStrictEqual([[...(a["y"]?.data ?? [])], b, c], [[2, 4], a, a])
    assert.strictEqual(tf.getBackend(), "cpu")
  })
})

describe("evaluating on the host", () => {
  it("gives what tfjs gives, over one tensor or a tree", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1 }), async (values) => {
        const x = Tensor.host(values)
        assert.deepStrictEqual(
          [...(await evaluate((t) => tf.square(t), x)).data],
          values.map((v) => v * v)
        )
        const { sum, inner } = await Effect.runPromise(
          evaluateAll({ a: x, b: { c: x } }, ({ a, b }, tensorOf) => ({
            sum: tf.add(a, b.c),
            inner: { third: tf.add(a, tensorOf(x)) }
          }))
        )
        assert.deepStrictEqual(
          [...sum.data],
          values.map((v) => 2 * v)
        )
        assert.deepStrictEqual(inner.third, sum)
        assert.deepStrictEqual([...x.data], values)
      }),
      { numRuns: 20 }
    ))

  it("leaves nothing behind, even where the text fails", async () => {
    const before = tf.memory().numTensors
    await evaluate((t) => tf.neg(t), Tensor.host([1]))
    const odd = evaluateAll({ x: Tensor.host([1]) }, ({ x }) => ({
      y: tf.add(tf.neg(x), [1, 2, 3].length === 3 ? tf.matMul(x, x) : x)
    }))
    await Effect.runPromiseExit(odd)
    assert.strictEqual(tf.memory().numTensors, before)
  })
})
