import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as fc from "fast-check"
import { Backend, type HostTensor, Tensor, tf, transfer } from "homodistil/backend"
import { adamW, type Optimizer, TrainStep } from "homodistil/optimizer"
import { Seed } from "homodistil/spec"
import { engines, on, regression, sample, train, type Trained } from "./steps.ts"

const drawn = (n: number) => sample((name, count) => Seed.normals(Seed.child(Seed.make(n), name), count))

/** Remembers the updated weight, and sums up gradients. */
const watcher: TrainStep.Observer = {
  slots: ["now", "sum"],
  watches: (name) => name === "w",
  scalars: (step) => ({ weight: step + 1 }),
  update: ({ sum }, { param, grad, scalars }) => ({
    now: tf.clone(param),
    sum: tf.add(sum ?? 0, tf.mul(grad, scalars["weight"] ?? 0))
  })
}

/** The same rule, which may be laid end to end with all it watches. */
const sweptWatcher: TrainStep.Observer = { ...watcher, elementwise: true }

const close = (a: HostTensor | undefined, b: HostTensor | undefined, tolerance: number, what: string): void => {
  assert.deepStrictEqual(a?.shape, b?.shape, what)
  const size = Math.max(1, ...Array.from(b?.data ?? [], Math.abs))
  a?.data.forEach((v, i) =>
    assert.isTrue(
      Math.abs(v - (b?.data[i] ?? Number.NaN)) <= tolerance * size,
      `${what}[${i}]: ${v} against ${b?.data[i]}`
    )
  )
}

const compiled = TrainStep.compile({
  name: "regression",
  params: { w: Tensor.float(2, 3), b: Tensor.float(2) },
  inputs: { x: Tensor.float(5, 3), y: Tensor.float(5, 2) },
  loss: regression,
  optimizer: adamW()
})

/** Fails where two runs differ in loss, weights, moments or slots by more than `tolerance`, relative to each tensor's largest number. */
const agree = (a: Trained, b: Trained, tolerance: number): void => {
  a.totals.forEach((total, i) => assert.closeTo(total, b.totals[i] ?? Number.NaN, tolerance * (1 + Math.abs(total))))
  assert.sameMembers(Object.keys(a.state.params), Object.keys(b.state.params))
  for (const [name, tensor] of Object.entries(a.state.params)) close(tensor, b.state.params[name], tolerance, name)
  for (const kind of ["moments", "slots"] as const) {
    assert.deepStrictEqual(Object.keys(a.state[kind]), Object.keys(b.state[kind]))
    for (const [slot, tensors] of Object.entries(a.state[kind]))
      for (const [name, tensor] of Object.entries(tensors))
        close(tensor, b.state[kind][slot]?.[name], tolerance, `${slot} of ${name}`)
  }
}

describe("a training step", () => {
  it("is the same compiled and eager: loss, terms, weights, moments and the observer's slots", () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom(1, Infinity),
        fc.constantFrom(watcher, sweptWatcher),
        async (n, clipNorm, observer) => {
          const { params, inputs } = drawn(n)
          const program = train(params, inputs, adamW({ clipNorm }), [0.1, 0.05, 0.01], { observer })
          const [a, b] = [await on(engines.onnx, program), await on(engines.cpu, program)]
          assert.deepStrictEqual(Object.keys(a.terms[0] ?? {}).toSorted(), ["mean", "worst"])
          agree(a, b, 1e-4)
        }
      ),
      { numRuns: 6 }
    ))

  it.each(["onnx", "cpu"] as const)(
    "is the same, to a few ulp, whether its rules work on long vectors or on each tensor by itself (%s)",
    (engine) =>
      fc.assert(
        fc.asyncProperty(fc.nat(), fc.constantFrom(1, Infinity), async (n, clipNorm) => {
          const { params, inputs } = drawn(n)
          const optimizer = adamW({ clipNorm })
          const rates = [0.1, 0.05, 0.01]
          const laid = await on(engines[engine], train(params, inputs, optimizer, rates, { observer: sweptWatcher }))
          const apart: Optimizer = { ...optimizer, elementwise: false }
          agree(laid, await on(engines[engine], train(params, inputs, apart, rates, { observer: watcher })), 2 ** -20)
        }),
        { numRuns: 4 }
      )
  )

  it.each(["onnx", "cpu"] as const)(
    "takes rules that look at a whole tensor, and rules with functions that sweeps lack (%s)",
    async (engine) => {
      const { params, inputs } = drawn(7)
      const of = (elementwise: boolean, move: (grad: tf.Tensor) => tf.Tensor): Optimizer => ({
        ...adamW({ clipNorm: Infinity }),
        slots: ["last"],
        scalars: (_, rate) => ({ rate }),
        update: ({ param, grad, scalars }) => ({
          param: tf.sub(param, tf.mul(scalars["rate"] ?? 0, move(grad))),
          moments: { last: tf.clone(grad) }
        }),
        elementwise
      })
      const after = async (optimizer: Optimizer) => {
        const { state } = await on(engines[engine], train(params, inputs, optimizer, [0.1]))
        return { moved: state.params["w"], grad: state.moments["last"]?.["w"]?.data ?? assert.fail() }
      }
      const whole = await after(of(false, (grad) => tf.div(grad, tf.max(tf.abs(grad)))))
      const largest = Math.max(...Array.from(whole.grad, Math.abs))
      const expected = (move: (g: number) => number) =>
        Tensor.host(
          Array.from(params.w.data, (w, i) => w - 0.1 * move(whole.grad[i] ?? Number.NaN)),
          [2, 3]
        )
      close(
        whole.moved,
        expected((g) => g / largest),
        1e-6,
        "a step of the largest gradient"
      )
      const curved = await after(of(true, (grad) => tf.add(tf.sin(grad), tf.exp(tf.neg(tf.abs(grad))))))
      close(
        curved.moved,
        expected((g) => Math.sin(g) + Math.exp(-Math.abs(g))),
        1e-5,
        "a step of sines"
      )
    }
  )

  it("holds the gradient of its loss in the first moments: that of finite differences", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (n) => {
        const { params, inputs } = drawn(n)
        const optimizer = adamW({ beta1: 0.5, clipNorm: Infinity })
        const { state } = await on(engines.onnx, train(params, inputs, optimizer, [0.1]))
        const loss = (w: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
          Array.from(inputs.y.data).reduce((sum, y, i) => {
            const [row, unit] = [Math.floor(i / 2), i % 2]
            const z = [0, 1, 2].reduce(
              (z, k) => z + (inputs.x.data[3 * row + k] ?? 0) * (w[3 * unit + k] ?? 0),
              b[unit] ?? 0
            )
            return sum + (z - y) ** 2
          }, 0)
        const [w, b] = [Array.from(params.w.data), Array.from(params.b.data)]
        const h = 1e-5
        const grads = w.map((v, i) => (loss(w.with(i, v + h), b) - loss(w.with(i, v - h), b)) / (2 * h))
        close(
          state.moments["mean"]?.["w"],
          Tensor.host(
            grads.map((g) => g / 2),
            [2, 3]
          ),
          1e-4,
          "gradient"
        )
      }),
      { numRuns: 5 }
    ))

  it("shows the observer the weight after the update, and the step's scalars", async () => {
    const { params, inputs } = drawn(1)
    const optimizer = adamW({ clipNorm: Infinity, beta1: 0 })
    const { state } = await on(engines.onnx, train(params, inputs, optimizer, [0.1, 0.1], { observer: watcher }))
    assert.deepStrictEqual(state.slots["now"]?.["w"], state.params["w"])
    assert.deepStrictEqual(Object.keys(state.slots["sum"] ?? {}), ["w"])
    // with β₁ = 0 the first moment is the last gradient: sum = 1 · first + 2 · second
    const first = await on(engines.onnx, train(params, inputs, optimizer, [0.1]))
    const [g1, g2] = [first, { state }].map(({ state }) => state.moments["mean"]?.["w"]?.data ?? new Float32Array())
    const sum = Tensor.host(
      Array.from(g1 ?? [], (g, i) => g + 2 * (g2?.[i] ?? 0)),
      [2, 3]
    )
    close(state.slots["sum"]?.["w"], sum, 1e-4, "sum")
  })

  it.each(["onnx", "cpu"] as const)("keeps nothing alive but its state (%s)", async (engine) => {
    const { params, inputs } = drawn(2)
    const rates = Array.from({ length: 50 }, () => 0.01)
    const { live, totals } = await on(engines[engine], train(params, inputs, adamW(), rates, { observer: watcher }))
    // two groups: vectors of weights, of two moments and of gradients, two slots of one group, views of two weights and gradients, two inputs
    assert.deepStrictEqual([...new Set(live)], [16])
    assert.isTrue((totals.at(-1) ?? 0) < (totals[0] ?? 0))
  })

  it.each(["onnx", "cpu"] as const)("leaves nothing behind when its scope ends, nor when it fails (%s)", (engine) =>
    on(
      engines[engine],
      Effect.gen(function* () {
        const backend = yield* Backend
        const { params, inputs } = drawn(8)
        for (const observer of [watcher, sweptWatcher]) {
          yield* train(params, inputs, adamW(), [0.1, 0.1], { observer })
          assert.deepStrictEqual(yield* backend.live, { tensors: 0, sessions: 0 })
        }
        const broken: TrainStep.Observer = {
          ...watcher,
          update: ({ now }) => ({ now: tf.cumsum(now ?? 0), sum: tf.cumsum(now ?? 0) })
        }
        if (engine === "onnx") {
          const error = yield* Effect.flip(train(params, inputs, adamW(), [0.1], { observer: broken }))
          assert.match(
            error.message,
            /^cannot compile regression: update of w: .*\(kernel Cumsum, at .*TrainStep\.test\.ts/
          )
        }
        assert.deepStrictEqual(yield* backend.live, { tensors: 0, sessions: 0 })
      })
    )
  )

  it.each(["onnx", "cpu"] as const)("changes its state in place, and gives the same handles back (%s)", (engine) =>
    on(
      engines[engine],
      Effect.scoped(
        Effect.gen(function* () {
          const backend = yield* Backend
          const { params, inputs } = drawn(9)
          const step = yield* compiled
          const state = yield* step.enter(TrainStep.start(params, adamW()))
          const given = yield* transfer.upload(backend, inputs)
          assert.deepStrictEqual((yield* step.leave(state)).params, params)
          const made = yield* step.run(state, given, { step: 0, learningRate: 0.1 })
          assert.deepStrictEqual(made.state, state)
          const left = yield* step.leave(state)
          for (const name of ["w", "b"] as const) {
            assert.isTrue(left.params[name]?.data.every((v, i) => v !== params[name].data[i]))
            // the loss of the next step reads the very numbers that the update has written
            const seen = yield* backend.download(state.params[name] ?? assert.fail())
            assert.deepStrictEqual(seen, left.params[name])
          }
          // a copy that has left is out of reach
          yield* step.run(state, given, { step: 1, learningRate: 0.1 })
          assert.notDeepEqual((yield* step.leave(state)).params, left.params)
          const again = yield* step.enter(left)
          assert.deepStrictEqual(yield* step.leave(again), left)
          yield* transfer.release(backend, [again, state, given])
        })
      )
    )
  )

  it("is not left half done by an interruption", () =>
    on(
      engines.onnx,
      Effect.scoped(
        Effect.gen(function* () {
          const backend = yield* Backend
          const { params, inputs } = drawn(10)
          const step = yield* compiled
          const given = yield* transfer.upload(backend, inputs)
          const [whole, cut] = [
            yield* step.enter(TrainStep.start(params, adamW())),
            yield* step.enter(TrainStep.start(params, adamW()))
          ]
          yield* step.run(whole, given, { step: 0, learningRate: 0.1 })
          const before = yield* backend.live
          const fiber = yield* Effect.forkChild(step.run(cut, given, { step: 0, learningRate: 0.1 }), {
            startImmediately: true
          })
          yield* Fiber.interrupt(fiber)
          assert.deepStrictEqual(yield* step.leave(cut), yield* step.leave(whole))
          assert.deepStrictEqual(yield* backend.live, before)
        })
      )
    ))

  it.each(["onnx", "cpu"] as const)("differentiates what the view shows (%s)", async (engine) => {
    const { params, inputs } = drawn(3)
    const mask = Tensor.host([1, 0, 1, 1, 1, 0], [2, 3])
    const view = (name: string, tensor: tf.Tensor, x: { readonly [name: string]: tf.Tensor }) =>
      name === "w" && x["mask"] !== undefined ? tf.mul(tensor, x["mask"]) : tensor
    const silenced = Tensor.host(
      Array.from(params.w.data, (v, i) => v * (mask.data[i] ?? 0)),
      [2, 3]
    )
    const seen = await on(engines[engine], train(params, { ...inputs, mask }, adamW(), [0.1], { view }))
    const plain = await on(engines[engine], train({ ...params, w: silenced }, inputs, adamW(), [0.1]))
    assert.closeTo(seen.totals[0] ?? 0, plain.totals[0] ?? 1, 1e-5)
    // gradients are those at the view, for masked entries too: they can grow back
    close(seen.state.moments["mean"]?.["w"], plain.state.moments["mean"]?.["w"], 1e-5, "gradient")
    assert.isTrue(seen.state.moments["mean"]?.["w"]?.data.every((v) => v !== 0))
    // what is silenced keeps its weight, and moves by its gradient
    seen.state.params["w"]?.data.forEach((v, i) => {
      const move = (of: HostTensor, to: number): number => to - (of.data[i] ?? Number.NaN)
      // but for the decay of the weight that is there
      const decay = 0.1 * 0.01 * ((silenced.data[i] ?? 0) - (params.w.data[i] ?? 0))
      assert.closeTo(move(params.w, v), move(silenced, plain.state.params["w"]?.data[i] ?? 0) + decay, 1e-5)
    })
  })

  it.each(["onnx", "cpu"] as const)(
    "moves a parameter its loss does not touch by weight decay alone (%s)",
    async (engine) => {
      const { params, inputs } = drawn(4)
      const idle = { ...params, idle: Tensor.host([1, 2], [1, 2]), bias: Tensor.host([1]) }
      const { state } = await on(engines[engine], train(idle, inputs, adamW({ weightDecay: 0.5 }), [0.1]))
      close(state.params["idle"], Tensor.host([0.95, 1.9], [1, 2]), 1e-6, "idle")
      assert.deepStrictEqual(state.params["bias"], Tensor.host([1]))
      assert.deepStrictEqual(state.moments["square"]?.["idle"], Tensor.host([0, 0], [1, 2]))
    }
  )

  it("leaves its state as it was when it fails", () =>
    on(
      engines.onnx,
      Effect.scoped(
        Effect.gen(function* () {
          const backend = yield* Backend
          const { params, inputs } = drawn(5)
          const step = yield* compiled
          const state = yield* step.enter(TrainStep.start(params, adamW()))
          const { x, y } = yield* transfer.upload(backend, inputs)
          const before = yield* backend.live
          const error = yield* Effect.flip(step.run(state, { x: y, y: x }, { step: 0, learningRate: 0.1 }))
          assert.match(error.message, /running regression failed/)
          assert.deepStrictEqual(yield* backend.live, before)
          assert.deepStrictEqual((yield* step.leave(state)).params, params)
          assert.isAbove(step.nodes, 10)
        })
      )
    ))

  it("starts from zero moments, and slots for what is watched", () => {
    const { params } = drawn(6)
    const { moments, slots, params: kept } = TrainStep.start(params, adamW(), watcher)
    assert.strictEqual(kept, params)
    assert.deepStrictEqual(Object.keys(moments), ["mean", "square"])
    assert.deepStrictEqual(moments["mean"]?.["b"], Tensor.host([0, 0]))
    assert.deepStrictEqual(Object.keys(slots["now"] ?? {}), ["w"])
  })
})
