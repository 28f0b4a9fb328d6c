import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, type HostTensor, Tensor, tf, transfer } from "homodistil/backend"
import { adamW, TrainStep } from "homodistil/optimizer"
import { Seed } from "homodistil/spec"
import { engines, on, regression, sample, train } from "./steps.ts"

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

describe("a training step", () => {
  it("is the same compiled and eager: loss, terms, weights, moments and the observer's slots", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(1, Infinity), async (n, clipNorm) => {
        const { params, inputs } = drawn(n)
        const program = train(params, inputs, adamW({ clipNorm }), [0.1, 0.05, 0.01], { observer: watcher })
        const [a, b] = [await on(engines.onnx, program), await on(engines.cpu, program)]
        a.totals.forEach((total, i) => assert.closeTo(total, b.totals[i] ?? Number.NaN, 1e-4 * (1 + Math.abs(total))))
        assert.deepStrictEqual(Object.keys(a.terms[0] ?? {}).toSorted(), ["mean", "worst"])
        for (const [name, tensor] of Object.entries(a.state.params)) close(tensor, b.state.params[name], 1e-4, name)
        for (const kind of ["moments", "slots"] as const)
          for (const [slot, tensors] of Object.entries(a.state[kind]))
            for (const [name, tensor] of Object.entries(tensors))
              close(tensor, b.state[kind][slot]?.[name], 1e-4, `${slot} of ${name}`)
      }),
      { numRuns: 4 }
    ))

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
    // two weights with two moments each, two slots of one weight, two inputs
    assert.deepStrictEqual([...new Set(live)], [10])
    assert.isTrue((totals.at(-1) ?? 0) < (totals[0] ?? 0))
  })

  it("differentiates what the view shows, and constrains weights and slots", async () => {
    const { params, inputs } = drawn(3)
    const mask = Tensor.host([1, 0, 1, 1, 1, 0], [2, 3])
    const masked = (name: string, tensor: tf.Tensor, x: { readonly [name: string]: tf.Tensor }) =>
      name === "w" && x["mask"] !== undefined ? tf.mul(tensor, x["mask"]) : tensor
    const hooks = { observer: watcher, view: masked, constrain: masked }
    const made = await on(engines.onnx, train(params, { ...inputs, mask }, adamW(), [0.1, 0.1], hooks))
    const zero = Tensor.host(
      Array.from(params.w.data, (v, i) => v * (mask.data[i] ?? 0)),
      [2, 3]
    )
    const plain = await on(engines.onnx, train({ ...params, w: zero }, inputs, adamW(), [0.1]))
    assert.closeTo(made.totals[0] ?? 0, plain.totals[0] ?? 1, 1e-5)
    // gradients are those at the view, for masked entries too: they can grow back
    const seen = await on(engines.onnx, train(params, { ...inputs, mask }, adamW(), [0.1], hooks))
    close(seen.state.moments["mean"]?.["w"], plain.state.moments["mean"]?.["w"], 1e-5, "gradient")
    for (const tensor of [made.state.params["w"], made.state.slots["now"]?.["w"], made.state.slots["sum"]?.["w"]])
      assert.deepStrictEqual(
        Array.from(tensor?.data ?? [], (v) => v !== 0),
        Array.from(mask.data, (v) => v === 1)
      )
    assert.isTrue(made.state.moments["mean"]?.["w"]?.data.every((v) => v !== 0))
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
          const step = yield* TrainStep.compile({
            name: "regression",
            params: { w: Tensor.float(2, 3), b: Tensor.float(2) },
            inputs: { x: Tensor.float(5, 3), y: Tensor.float(5, 2) },
            loss: regression,
            optimizer: adamW()
          })
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
