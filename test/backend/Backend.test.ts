import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import {
  Backend,
  BackendUnavailable,
  CompileError,
  type DeviceTensor,
  ExecutionError,
  Tensor,
  tf,
  transfer
} from "homodistil/backend"
import { Seed } from "homodistil/spec"
import { engines, on } from "./engines.ts"

describe("Backend", () => {
  it("fails in one line each, with what to do where a user can do something", () => {
    const errors = [
      new CompileError({ function: "step", kernel: "TopK", where: "a.ts:1:2", reason: "no rule" }),
      new BackendUnavailable({ backend: "node", reason: "not found", remedy: "install it" }),
      new ExecutionError({ function: "step", reason: "out of memory" })
    ]
    assert.deepStrictEqual(
      errors.map((error) => error.message),
      [
        "cannot compile step: no rule (kernel TopK, at a.ts:1:2)",
        "backend node is not available: not found; install it",
        "running step failed: out of memory"
      ]
    )
  })
})

/** The numbers of a live tensor. */
const numbers = (tensor: DeviceTensor) =>
  Effect.gen(function* () {
    const { data } = yield* (yield* Backend).download(tensor)
    return Array.from(data)
  })

/** A live vector of numbers. */
const vectorOf = (values: ArrayLike<number>) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const vector = yield* backend.vector(values.length)
    yield* backend.write(vector, Float32Array.from(values))
    return vector
  })

/** What a defect says; fails where there is none. */
const defect = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<string, never, R> =>
  Effect.map(Effect.exit(effect), (exit) => {
    assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause), "it is no defect")
    return Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""
  })

const floats = (length: number, seed = 0): Float32Array =>
  Float32Array.from(Seed.normals(Seed.child(Seed.make(seed), "numbers"), length))

describe.each(["onnx", "cpu", "wasm"] as const)("the backend %s", (engine) => {
  const contract = (what: string, program: Effect.Effect<unknown, unknown, Backend>) =>
    it(what, () =>
      on(
        engines[engine],
        Effect.gen(function* () {
          yield* program
          assert.deepStrictEqual(yield* (yield* Backend).live, { tensors: 0, sessions: 0 }, "something stays alive")
        })
      )
    )

  contract(
    "says which it is",
    Effect.map(Backend, ({ name }) => assert.strictEqual(name, engine))
  )

  contract(
    "gives vectors of zeros, also where other numbers have been",
    Effect.gen(function* () {
      const backend = yield* Backend
      for (const length of [1, 3, 64, 1000, 3]) {
        const vector = yield* backend.vector(length)
        assert.deepStrictEqual([vector.shape, vector.dtype], [[length], "float32"])
        assert.deepStrictEqual(
          yield* numbers(vector),
          Array.from({ length }, () => 0)
        )
        yield* backend.write(vector, new Float32Array(length).fill(7))
        yield* backend.release(vector)
      }
    })
  )

  contract(
    "shows parts of vectors that share their numbers, in both directions",
    Effect.gen(function* () {
      const backend = yield* Backend
      const vector = yield* vectorOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      const [matrix, single] = [yield* backend.view(vector, 2, [2, 3]), yield* backend.view(vector, 9, [])]
      assert.deepStrictEqual([matrix.shape, single.shape], [[2, 3], []])
      assert.deepStrictEqual(yield* numbers(matrix), [2, 3, 4, 5, 6, 7])
      yield* backend.write(vector, Float32Array.of(9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
      assert.deepStrictEqual(yield* transfer.download(backend, { matrix, single }), {
        matrix: Tensor.host([7, 6, 5, 4, 3, 2], [2, 3]),
        single: Tensor.scalar(0)
      })
      yield* backend.write(matrix, Float32Array.of(1, 2, 3, 4, 5, 6))
      yield* backend.write(single, Float32Array.of(-1))
      assert.deepStrictEqual(yield* numbers(vector), [9, 8, 1, 2, 3, 4, 5, 6, 1, -1])
      // a view's end is not its vector's
      yield* transfer.release(backend, [matrix, single])
      assert.deepStrictEqual(yield* numbers(vector), [9, 8, 1, 2, 3, 4, 5, 6, 1, -1])
      yield* backend.release(vector)
    })
  )

  contract(
    "refuses views that do not lie in their vector, and numbers that do not fit",
    Effect.gen(function* () {
      const backend = yield* Backend
      const vector = yield* backend.vector(6)
      assert.match(yield* defect(backend.view(vector, 1, [2, 3])), /does not lie in a vector of 6/)
      assert.match(yield* defect(backend.view(vector, -1, [2])), /does not lie in a vector of 6/)
      assert.match(yield* defect(backend.write(vector, new Float32Array(5))), /5 numbers do not fit a tensor of 6/)
      assert.match(yield* defect(backend.write(vector, new Float32Array(7))), /7 numbers do not fit/)
      yield* backend.release(vector)
    })
  )

  contract(
    "overwrites uploaded tensors as well as vectors",
    Effect.gen(function* () {
      const backend = yield* Backend
      const tensor = yield* backend.upload(Tensor.host([1, 2, 3, 4], [2, 2], "int32"))
      const given = Int32Array.of(5, 6, 7, 8)
      yield* backend.write(tensor, given)
      given[0] = 9
      assert.deepStrictEqual(yield* backend.download(tensor), Tensor.host([5, 6, 7, 8], [2, 2], "int32"))
      yield* backend.release(tensor)
    })
  )

  contract(
    "runs a text into live tensors: vectors, views and others",
    Effect.scoped(
      Effect.gen(function* () {
        const backend = yield* Backend
        const text = yield* backend.compile("ops", { x: Tensor.float(2, 2) }, ({ x }) => ({
          twice: tf.mul(x, 2),
          inner: { flat: tf.reshape(tf.neg(x), [4]), sum: tf.sum(x) },
          own: tf.add(x, 1)
        }))
        const x = yield* backend.upload(Tensor.host([1, 2, 3, 4], [2, 2]))
        const [vector, flat] = [yield* backend.vector(10), yield* backend.vector(4)]
        const [twice, sum] = [yield* backend.view(vector, 3, [2, 2]), yield* backend.upload(Tensor.scalar(7))]
        const into = { twice, "inner/flat": flat, "inner/sum": sum }
        const live = yield* backend.live
        for (const scale of [1, 10]) {
          yield* backend.write(x, Float32Array.of(1, 2, 3, 4 * scale))
          const made = yield* text.run({ x }, into)
          assert.deepStrictEqual([made.twice, made.inner.flat, made.inner.sum], [twice, flat, sum])
          assert.strictEqual((yield* backend.live).tensors, live.tensors + 1)
          assert.deepStrictEqual(yield* numbers(vector), [0, 0, 0, 2, 4, 6, 8 * scale, 0, 0, 0])
          assert.deepStrictEqual(yield* numbers(flat), [-1, -2, -3, -4 * scale])
          assert.deepStrictEqual(yield* numbers(sum), [6 + 4 * scale])
          assert.deepStrictEqual(yield* numbers(made.own), [2, 3, 4, 1 + 4 * scale])
          yield* backend.release(made.own)
        }
        // what was written to is read again, by its vector's numbers
        const made = yield* text.run({ x: twice }, { "inner/flat": flat })
        assert.deepStrictEqual(yield* numbers(flat), [-2, -4, -6, -80])
        yield* transfer.release(backend, [x, twice, vector, flat, sum, made.own, made.twice, made.inner.sum])
      })
    )
  )

  contract(
    "hands an input through into a live tensor",
    Effect.scoped(
      Effect.gen(function* () {
        const backend = yield* Backend
        const text = yield* backend.compile("same", { x: Tensor.float(3) }, ({ x }) => ({
          a: x,
          b: x,
          c: tf.zerosLike(x)
        }))
        const [x, a, c] = [yield* vectorOf([1, 2, 3]), yield* backend.vector(3), yield* vectorOf([9, 9, 9])]
        const { b } = yield* text.run({ x }, { a, c })
        yield* backend.write(x, Float32Array.of(4, 5, 6))
        assert.deepStrictEqual(
          [yield* numbers(a), yield* numbers(b), yield* numbers(c)],
          [
            [1, 2, 3],
            [1, 2, 3],
            [0, 0, 0]
          ]
        )
        yield* transfer.release(backend, [x, a, b, c])
      })
    )
  )

  contract(
    "keeps nothing of a run that fails, and what it was to write into",
    Effect.scoped(
      Effect.gen(function* () {
        const backend = yield* Backend
        const text = yield* backend.compile("ops", { x: Tensor.float(3) }, ({ x }) => ({
          a: tf.neg(x),
          b: tf.add(x, 1)
        }))
        const x = yield* vectorOf([1, 2, 3])
        for (const wrong of [yield* backend.vector(2), yield* backend.vector(4)]) {
          const before = yield* backend.live
          const error = yield* Effect.flip(text.run({ x }, { b: wrong }))
          assert.match(error.message, /^running ops failed: .*\bb\b/s)
          assert.deepStrictEqual(yield* backend.live, before)
          assert.deepStrictEqual(
            yield* numbers(wrong),
            Array.from({ length: wrong.shape[0] ?? 0 }, () => 0)
          )
          yield* backend.release(wrong)
        }
        const made = yield* text.run({ x })
        assert.deepStrictEqual(
          [yield* numbers(made.a), yield* numbers(made.b)],
          [
            [-1, -2, -3],
            [2, 3, 4]
          ]
        )
        yield* transfer.release(backend, [x, made])
      })
    )
  )

  contract(
    "takes what is used after its end for a defect",
    Effect.scoped(
      Effect.gen(function* () {
        const backend = yield* Backend
        const text = yield* backend.compile("neg", { x: Tensor.float(3) }, ({ x }) => ({ a: tf.neg(x), b: tf.abs(x) }))
        const negate = yield* backend.sweep("neg", { length: 3, vectors: ["x"], scalars: [] }, ({ x }) => ({
          x: tf.neg(x ?? 0)
        }))
        const [x, ended] = [yield* vectorOf([1, 2, 3]), yield* backend.vector(3)]
        yield* backend.release(ended)
        const before = yield* backend.live
        for (const use of [
          text.run({ x: ended }),
          text.run({ x }, { b: ended }),
          negate.run({ x: ended }, {}),
          backend.download(ended),
          backend.write(ended, new Float32Array(3)),
          backend.view(ended, 0, [3]),
          backend.sumOfSquares([x, ended]),
          backend.release(ended)
        ])
          assert.match(yield* defect(use), /tensor \d+ \[3\] was released before this use/)
        assert.deepStrictEqual(yield* backend.live, before)
        yield* backend.release(x)
      })
    )
  )

  contract(
    "sweeps over vectors in place: several results, numbers of the step, and what is read before it is overwritten",
    Effect.gen(function* () {
      const backend = yield* Backend
      const check = fc.asyncProperty(
        fc.constantFrom(1, 2, 4, 5, 17, 64, 1000),
        fc.integer({ min: -8, max: 8 }),
        fc.nat(),
        (length, rate, seed) =>
          Effect.runPromise(
            Effect.gen(function* () {
              const signature = { length, vectors: ["a", "b", "c"], scalars: ["rate", "unused"] }
              const sweep = yield* backend.sweep("swap", signature, ({ a = 0, b = 0, c = 0 }, { rate = 0 }) => ({
                b: tf.add(tf.mul(a, rate), c),
                a: tf.sub(b, tf.mul(tf.square(a), 0.5))
              }))
              const [a, b, c] = [floats(length, seed), floats(length, seed + 1), floats(length, seed + 2)]
              const given = { a: yield* vectorOf(a), b: yield* vectorOf(b), c: yield* vectorOf(c) }
              yield* sweep.run(given, { rate, unused: 3 })
              const made = yield* transfer.download(backend, given)
              // each operation is rounded by itself
              const { fround } = Math
              const of = (values: Float32Array, i: number): number => values[i] ?? Number.NaN
              for (let i = 0; i < length; i++) {
                assert.strictEqual(made.b.data[i], fround(fround(of(a, i) * rate) + of(c, i)))
                assert.strictEqual(made.a.data[i], fround(of(b, i) - fround(fround(of(a, i) ** 2) * 0.5)))
              }
              assert.deepStrictEqual(made.c.data, c)
              yield* transfer.release(backend, given)
            }).pipe(Effect.provideService(Backend, backend))
          )
      )
      yield* Effect.promise(() => fc.assert(check, { numRuns: 20 }))
    })
  )

  contract(
    "sweeps over long vectors as over short ones, run after run",
    Effect.gen(function* () {
      const backend = yield* Backend
      const length = 2 ** 19 + 3
      const sweep = yield* backend.sweep(
        "grow",
        { length, vectors: ["x", "by"], scalars: ["rate"] },
        ({ x = 0, by = 0 }, { rate = 0 }) => ({
          x: tf.add(x, tf.mul(by, rate))
        })
      )
      // whole numbers, so that nothing is rounded
      const by = Float32Array.from({ length }, (_, i) => i % 1021)
      const given = { x: yield* backend.vector(length), by: yield* vectorOf(by) }
      for (const rate of [1, 2, 4]) yield* sweep.run(given, { rate })
      const { data } = yield* backend.download(given.x)
      assert.isTrue(data.every((x, i) => x === 7 * (i % 1021)))
      yield* transfer.release(backend, given)
    })
  )

  contract(
    "adds up the squares of vectors in double precision",
    Effect.gen(function* () {
      const backend = yield* Backend
      for (const lengths of [[], [1], [3, 5], [1000, 7, 64], [2 ** 20 + 77, 2 ** 14]]) {
        const all = lengths.map((length, i) => floats(length, i))
        let squares = 0
        for (const values of all) for (const x of values) squares += x * x
        const vectors = yield* Effect.forEach(all, vectorOf)
        assert.closeTo(yield* backend.sumOfSquares(vectors), squares, 1e-12 * squares)
        yield* transfer.release(backend, vectors)
      }
      const huge = yield* vectorOf([1e30, -1e30])
      // in single precision these squares would be infinite
      assert.closeTo((yield* backend.sumOfSquares([huge])) / 2e60, 1, 1e-6)
      yield* backend.write(huge, Float32Array.of(Number.NaN, 1))
      assert.isNaN(yield* backend.sumOfSquares([huge]))
      yield* backend.release(huge)
    })
  )
})

describe("a sweep that cannot be compiled", () => {
  const length = 6
  it.each<readonly [kernel: string, text: (x: tf.Tensor) => tf.Tensor]>([
    ["ReduceSum", (x) => tf.mul(x, tf.sum(x))],
    ["ReduceMax", (x) => tf.sub(x, tf.max(x))],
    ["Exp", (x) => tf.exp(x)],
    ["Cumsum", (x) => tf.cumsum(x)],
    ["Cast", (x) => tf.cast(tf.greater(x, 0), "int32")]
  ])("names %s, and itself", (kernel, text) =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const signature = { length, vectors: ["x"], scalars: [] }
        const error = yield* Effect.flip(backend.sweep("odd", signature, ({ x = tf.scalar(0) }) => ({ x: text(x) })))
        assert.strictEqual(error._tag, "CompileError")
        assert.deepStrictEqual([error.function, error.kernel], ["odd", kernel])
        assert.match(error.message, /^cannot compile odd: /)
      })
    )
  )
})
