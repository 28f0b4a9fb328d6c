import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "fast-check"
import { Backend, type CompileError, type DeviceTensor, Tensor, tf, transfer } from "homodistil/backend"
import { Seed } from "homodistil/spec"
import { at, engines, evaluateWith, type NamedText, on } from "./engines.ts"

// lint takes tfjs' for an array's
const { fill } = tf
const vector = { x: Tensor.float(3) }
const input = { x: Tensor.host([1, -2, 3]) }

/** The error of compiling a text for one vector. */
const refusal = (text: NamedText): Promise<CompileError> =>
  on(
    engines.onnx,
    Effect.gen(function* () {
      const backend = yield* Backend
      return yield* Effect.flip(backend.compile("odd", vector, text))
    })
  )

describe("a text that cannot be compiled", () => {
  const texts: ReadonlyArray<readonly [kernel: string, reason: RegExp, text: NamedText]> = [
    ["Cumsum", /no rule for this kernel/, ({ x }) => ({ y: tf.cumsum(x ?? 0) })],
    ["TopK", /no rule for this kernel/, ({ x }) => ({ y: tf.topk(x ?? [0], 2).values })],
    // the kernel is asked for on the way back, far below the line of the text
    [
      "Cumprod",
      /no rule for this kernel/,
      ({ x }) => ({ y: tf.grad((z) => tf.prod(tf.mul(z, z)))(x ?? tf.scalar(0)) })
    ],
    ["read", /reads a tensor's values/, ({ x }) => ({ y: tf.mul(x ?? 0, x?.dataSync()[0] ?? 0) })],
    ["output", /output y has type bool; cast it/, ({ x }) => ({ y: tf.greater(x ?? 0, 0) })],
    ["Const", /a constant of type string/, () => ({ y: tf.tensor(["word"]) })],
    ["none", /slice/, ({ x }) => ({ y: tf.slice(x ?? [0], 2, 4) })]
  ]

  it.each(texts)("names %s and the line", async (kernel, reason, text) => {
    const error = await refusal(text)
    assert.strictEqual(error.kernel, kernel)
    assert.match(error.reason, reason)
    assert.match(error.message, /^cannot compile odd: /)
    // an output of the wrong type is noticed when the text has ended
    if (kernel !== "output") assert.match(error.where, /OnnxBackend\.test\.ts:\d+:\d+/)
  })

  it("does not take tensors from outside, be they numbers or of another recording", async () => {
    const outside = tf.tensor([1, 2, 3])
    let earlier: tf.Tensor = outside
    assert.match((await refusal(({ x }) => ({ y: tf.add(x ?? 0, outside) }))).reason, /from outside the text/)
    await refusal(({ x }) => {
      earlier = tf.neg(x ?? 0)
      return { y: tf.cumsum(earlier) }
    })
    assert.match((await refusal(({ x }) => ({ y: tf.add(x ?? 0, earlier) }))).reason, /from outside the text/)
    outside.dispose()
  })

  it("leaves tfjs as it was", async () => {
    await tf.setBackend("cpu")
    const before = [tf.memory().numTensors, Error.stackTraceLimit]
    await refusal(({ x }) => ({ y: tf.cumsum(x ?? 0) }))
    assert.deepStrictEqual([tf.memory().numTensors, Error.stackTraceLimit], before)
    assert.deepStrictEqual([...tf.add([1], [2]).dataSync()], [3])
  })
})

describe("what is alive", () => {
  it("is what it was when a scope ends, and when it fails", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const compile = backend.compile("twice", vector, ({ x }) => ({ y: tf.mul(x, 2) }))
        const before = yield* backend.live
        const inside = yield* Effect.scoped(Effect.andThen(compile, backend.live))
        assert.strictEqual(inside.sessions, before.sessions + 1)
        yield* Effect.exit(Effect.scoped(Effect.andThen(compile, Effect.fail("stop"))))
        yield* Effect.exit(Effect.scoped(Effect.andThen(compile, Effect.die("stop"))))
        yield* evaluateWith(input, ({ x }) => ({ y: tf.mul(x ?? 0, 2) })).pipe(Effect.scoped)
        assert.deepStrictEqual(yield* backend.live, before)
      })
    ))

  it("counts nothing for a run that fails", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const look = yield* backend.compile("look", { x: Tensor.float(2, 2), i: Tensor.int(1) }, ({ x, i }) => ({
          y: tf.gather(x, i)
        }))
        const given = yield* transfer.upload(backend, {
          x: Tensor.host([1, 2, 3, 4], [2, 2]),
          i: Tensor.host([7], [1], "int32")
        })
        const before = yield* backend.live
        const error = yield* Effect.flip(look.run(given))
        assert.match(error.message, /^running look failed: .*out of data bounds/s)
        const wrong = yield* backend.upload(Tensor.host([1], [1]))
        assert.match((yield* Effect.flip(look.run({ ...given, x: wrong }))).message, /invalid .*in:x/is)
        yield* backend.release(wrong)
        assert.deepStrictEqual(yield* backend.live, before)
      })
    ))

  it("keeps a session until the call that is under way has come back", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const before = yield* backend.live
        const interrupted = Effect.scoped(
          Effect.gen(function* () {
            const compiled = yield* backend.compile("sum", { x: Tensor.float(512, 512) }, ({ x }) => ({
              y: tf.matMul(x, x)
            }))
            const x = yield* backend.upload(Tensor.host(new Float32Array(512 * 512), [512, 512]))
            const made = yield* compiled.run({ x })
            return yield* transfer.release(backend, { x, made })
          })
        )
        yield* Effect.timeoutOption(interrupted, 1)
        const { sessions } = yield* backend.live
        assert.strictEqual(sessions, before.sessions)
      })
    ))

  const misuse = (program: (x: DeviceTensor) => Effect.Effect<unknown, unknown, Backend>) =>
    Effect.gen(function* () {
      const backend = yield* Backend
      const x = yield* backend.upload(Tensor.host([1, 2]))
      yield* backend.release(x)
      const exit = yield* Effect.exit(program(x))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.match(
        Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "",
        /tensor \d+ \[2\] was released before this use/
      )
    })

  it.each(["onnx", "cpu"] as const)("is not used after its release, nor released twice (%s)", (engine) =>
    on(
      engines[engine],
      Effect.gen(function* () {
        const backend = yield* Backend
        const compiled = yield* backend.compile("neg", { x: Tensor.float(2) }, ({ x }) => ({ y: tf.neg(x) }))
        yield* misuse((x) => backend.release(x))
        yield* misuse((x) => backend.download(x))
        yield* misuse((x) => compiled.run({ x }))
      })
    )
  )
})

describe("what a run gives", () => {
  const shapes: NamedText = ({ x = tf.scalar(0) }) => ({
    same: x,
    again: x,
    reshaped: tf.reshape(x, [3, 1]),
    twice: tf.mul(x, 2),
    folded: fill([3], 7),
    whole: tf.cast(x, "int32"),
    total: tf.sum(x),
    constant: tf.scalar(5)
  })
  const expected = {
    again: [1, -2, 3],
    constant: [5],
    folded: [7, 7, 7],
    reshaped: [1, -2, 3],
    same: [1, -2, 3],
    total: [2],
    twice: [2, -4, 6],
    whole: [1, -2, 3]
  }

  it.each(["onnx", "cpu", "wasm"] as const)(
    "are tensors of their own, whatever the text hands through (%s)",
    (engine) =>
      on(
        engines[engine],
        Effect.gen(function* () {
          const backend = yield* Backend
          const compiled = yield* backend.compile("hand", vector, (x) => ({ values: shapes(x), inner: { same: x.x } }))
          const given = yield* transfer.upload(backend, input)
          const first = yield* compiled.run(given)
          yield* transfer.release(backend, given)
          // what the first run gave must outlive its input, and a second run on other numbers
          const other = yield* transfer.upload(backend, { x: Tensor.host([9, 9, 9]) })
          const second = yield* compiled.run(other)
          const { inner, values } = yield* transfer.download(backend, first)
          assert.deepStrictEqual(Object.fromEntries(Object.entries(values).map(([k, v]) => [k, [...v.data]])), expected)
          assert.deepStrictEqual([...inner.same.data], [1, -2, 3])
          assert.deepStrictEqual([at(values, "total").shape, at(values, "whole").dtype], [[], "int32"])
          yield* transfer.release(backend, { first, second, other })
          assert.strictEqual((yield* backend.live).tensors, 0)
        })
      )
  )

  it.each(["onnx", "cpu"] as const)("may be one tensor, from one tensor, or nothing (%s)", (engine) =>
    on(
      engines[engine],
      Effect.gen(function* () {
        const backend = yield* Backend
        const leaf = yield* backend.compile("leaf", Tensor.float(3), (x) => tf.neg(x))
        const x = yield* backend.upload(input.x)
        assert.deepStrictEqual([...(yield* backend.download(yield* leaf.run(x))).data], [-1, 2, -3])
        const nested = yield* backend.compile(
          "nested",
          { a: {}, b: { c: { d: Tensor.float(3), e: {} } } },
          ({ a, b }) => ({
            a,
            f: { g: { h: tf.neg(b.c.d), e: b.c.e } }
          })
        )
        const made = yield* nested.run({ a: {}, b: { c: { d: x, e: {} } } })
        assert.deepStrictEqual([made.a, made.f.g.e, made.f.g.h.shape], [{}, {}, [3]])
      })
    )
  )

  it("is the same to the last bit when the inputs are", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const size = 96
        const text = yield* backend.compile("mixed", { x: Tensor.float(size, size) }, ({ x }) => ({
          y: tf.softmax(tf.matMul(x, x)),
          s: tf.sum(tf.exp(x))
        }))
        const x = yield* backend.upload(Tensor.host(Seed.normals(Seed.make(1), size * size), [size, size]))
        const values = Effect.flatMap(text.run({ x }), (made) =>
          Effect.tap(transfer.download(backend, made), transfer.release(backend, made))
        )
        const first = yield* values
        for (let i = 0; i < 10; i++) assert.deepStrictEqual(yield* values, first)
      })
    ))
})

describe("rows added up under repeated indices", () => {
  it("are the loop's, on two threads, time after time", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const [rows, width, table] = [2048, 64, 50]
        const seed = Seed.make("repeats")
        // whole numbers, so that the order of additions cannot matter
        const values = Seed.integers(Seed.child(seed, "dy"), rows * width, 17)
        // a few tokens make up most of a text
        const ids = Seed.uniforms(Seed.child(seed, "ids"), rows).map((u) => Math.floor(table * u ** 4))
        const expected = new Float32Array(table * width)
        values.forEach((value, i) => {
          const place = (ids[Math.floor(i / width)] ?? 0) * width + (i % width)
          expected[place] = (expected[place] ?? 0) + value
        })
        const signature = { table: Tensor.float(table, width), ids: Tensor.int(rows), dy: Tensor.float(rows, width) }
        const text = yield* backend.compile("look up", signature, ({ table, ids, dy }) => ({
          grad: tf.grad((t) => tf.sum(tf.mul(tf.gather(t, ids), dy)))(table),
          sums: tf.unsortedSegmentSum(dy, ids as tf.Tensor1D, table.shape[0] ?? 0)
        }))
        const given = yield* transfer.upload(backend, {
          table: Tensor.host(new Float32Array(table * width), [table, width]),
          ids: Tensor.host(ids, [rows], "int32"),
          dy: Tensor.host(values, [rows, width])
        })
        for (let repetition = 0; repetition < 60; repetition++) {
          const made = yield* text.run(given)
          const { grad, sums } = yield* transfer.download(backend, made)
          yield* transfer.release(backend, made)
          assert.isTrue(grad.data.every((v, i) => v === expected[i]) && sums.data.every((v, i) => v === expected[i]))
        }
      })
    ))
})

describe("the memory of tensors", () => {
  it("is never shared by two that live, in any order of runs, uploads and releases", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("upload", "run", "release", "check"), fc.nat()), { maxLength: 40 }),
        (actions) =>
          on(
            engines.onnx,
            Effect.gen(function* () {
              const backend = yield* Backend
              const text = yield* backend.compile("step", vector, ({ x }) => ({
                a: tf.add(x, 1),
                b: x,
                c: tf.mul(x, 2)
              }))
              // what every live tensor must hold, by a model of plain numbers
              const alive: Array<readonly [DeviceTensor, ReadonlyArray<number>]> = []
              const check = Effect.forEach(alive, ([tensor, numbers]) =>
                Effect.map(backend.download(tensor), ({ data }) => assert.deepStrictEqual([...data], numbers))
              )
              for (const [what, n] of actions) {
                const chosen = alive.length === 0 ? undefined : n % alive.length
                const [tensor, numbers] = (chosen === undefined ? undefined : alive[chosen]) ?? []
                if (what === "upload")
                  alive.push([yield* backend.upload(Tensor.host([n, 1, 2])), [Math.fround(n), 1, 2]])
                if (tensor === undefined || numbers === undefined || chosen === undefined) continue
                if (what === "run") {
                  const { a, b, c } = yield* text.run({ x: tensor })
                  alive.push(
                    [a, numbers.map((v) => Math.fround(v + 1))],
                    [b, numbers],
                    [c, numbers.map((v) => Math.fround(2 * v))]
                  )
                }
                if (what === "release") {
                  yield* backend.release(tensor)
                  alive.splice(chosen, 1)
                }
                if (what === "check") yield* Effect.suspend(() => check)
              }
              yield* Effect.forEach([...alive], ([tensor, numbers]) =>
                Effect.map(backend.download(tensor), ({ data }) => assert.deepStrictEqual([...data], [...numbers]))
              )
              assert.strictEqual((yield* backend.live).tensors, alive.length)
            })
          )
      ),
      { numRuns: 15 }
    ))
})

describe("uploading", () => {
  it("copies: a later change of the host's numbers changes nothing", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const host = Tensor.host([1, 2, 3])
        const tensor = yield* backend.upload(host)
        host.data[0] = 9
        const back = yield* backend.download(tensor)
        back.data[1] = 9
        assert.deepStrictEqual(at({ again: yield* backend.download(tensor) }, "again").data, Float32Array.of(1, 2, 3))
      })
    ))
})
