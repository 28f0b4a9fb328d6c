import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, type DeviceTensor, Tensor, tf, transfer } from "homodistil/backend"
import { Layout, type Optimizer, type TrainStep } from "homodistil/optimizer"
import { Seed, Spec } from "homodistil/spec"
import * as Update from "../../src/optimizer/Update.ts"
import { engines, on } from "../backend/engines.ts"

type ByName<T> = Layout.ByName<T>

const params = { a: Tensor.float(3, 5), b: Tensor.float(7), c: Tensor.float(2, 2), d: Tensor.float(1) }
const watches = (name: string): boolean => name === "a" || name === "b"
const numbers = { clip: 0.25, optimizer: { rate: 0.5 }, observer: { rate: 3 } }

/** Momentum; its slot and scalar are called as the observer's are. */
const momentum: Optimizer = {
  spec: Spec.make("momentum"),
  slots: ["sum"],
  scalars: (_, rate) => ({ rate }),
  update: ({ param, grad, moments, scalars, decays }) => {
    const sum = tf.add(tf.mul(moments["sum"] ?? 0, 0.5), grad)
    const moved = tf.sub(param, tf.mul(scalars["rate"] ?? 0, sum))
    return { param: decays ? tf.mul(moved, 0.75) : moved, moments: { sum } }
  },
  elementwise: true,
  clipNorm: undefined
}

/** Adds up the products of the gradient and the weight after the update. */
const observer: TrainStep.Observer = {
  slots: ["sum"],
  watches,
  elementwise: true,
  scalars: () => ({ rate: 3 }),
  update: ({ sum }, { param, grad, scalars }) => ({
    sum: tf.add(sum ?? 0, tf.mul(scalars["rate"] ?? 0, tf.mul(param, grad)))
  })
}

/** What one update makes of a weight, its gradient, momentum and slot, in double precision. */
const expected = (name: keyof typeof params, w: number, g: number, m: number, s: number) => {
  const sum = 0.5 * m + 0.25 * g
  const moved = (w - 0.5 * sum) * (params[name].shape.length > 1 ? 0.75 : 1)
  return { param: moved, moment: sum, slot: s + 3 * moved * (0.25 * g) }
}

const draws = (seed: number, what: string) =>
  Object.fromEntries(
    Object.entries(params).map(([name, { shape }]) => [
      name,
      Tensor.host(Seed.normals(Seed.child(Seed.child(Seed.make(seed), what), name), Tensor.elements(shape)), shape)
    ])
  )

const layout = (elementwise: boolean) =>
  Layout.groups({ params, watches, elementwise: { watched: elementwise, unwatched: elementwise } })

const compile = (groups: ReadonlyArray<Layout.Group>, optimizer: Optimizer, observer: TrainStep.Observer | undefined) =>
  Update.compile({
    name: "step",
    groups,
    params,
    lengthOf: (group) => Layout.places(group, params).length,
    optimizer,
    observer
  })

/** Live vectors of each group. */
const put = (groups: ReadonlyArray<Layout.Group>, values: ByName<Tensor.HostTensor>) =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const made: Record<string, DeviceTensor> = {}
    for (const group of groups) {
      const vector = yield* backend.vector(Layout.places(group, params).length)
      yield* backend.write(vector, Layout.pack(group, values))
      made[group.id] = vector
    }
    return made
  })

/** Values by name, from the vectors of each group. */
const apart = (groups: ReadonlyArray<Layout.Group>, vectors: ByName<DeviceTensor>) =>
  Effect.gen(function* () {
    const host: ByName<Tensor.HostTensor> = yield* transfer.download(yield* Backend, vectors)
    const parts = groups.map((group) => Layout.unpack(group, Layout.at(host, group.id), params))
    return parts.reduce((left, right) => ({ ...left, ...right }), {})
  })

describe("an update", () => {
  it.each(["onnx", "cpu", "wasm"] as const)("does to each weight what the plain rule does to it alone (%s)", (engine) =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), (seed, elementwise) =>
        on(
          engines[engine],
          Effect.gen(function* () {
            const backend = yield* Backend
            const before = yield* backend.live
            const groups = layout(elementwise)
            const watched = groups.filter((group) => group.watched)
            const [w, g, m, s] = [draws(seed, "w"), draws(seed, "g"), draws(seed, "m"), draws(seed, "s")]
            const update = yield* compile(groups, momentum, observer)
            const state = {
              params: yield* put(groups, w),
              moments: { sum: yield* put(groups, m) },
              slots: { sum: yield* put(watched, s) }
            }
            const grads = yield* put(groups, g)
            yield* update(state, grads, numbers)
            const [weights, moments] = [yield* apart(groups, state.params), yield* apart(groups, state.moments.sum)]
            const slots = yield* apart(watched, state.slots.sum)
            assert.deepStrictEqual(Object.keys(slots).toSorted(), ["a", "b"])
            for (const name of ["a", "b", "c", "d"] as const)
              w[name]?.data.forEach((_, i) => {
                const at = (of: ByName<Tensor.HostTensor>): number => of[name]?.data[i] ?? Number.NaN
                const wanted = expected(name, at(w), at(g), at(m), at(s))
                assert.closeTo(at(weights), wanted.param, 1e-5, `${name}[${i}]`)
                assert.closeTo(at(moments), wanted.moment, 1e-5, `momentum of ${name}[${i}]`)
                if (watches(name)) assert.closeTo(at(slots), wanted.slot, 1e-4, `slot of ${name}[${i}]`)
              })
            // gradients are read only
            assert.deepStrictEqual(yield* apart(groups, grads), g)
            yield* transfer.release(backend, [state, grads])
            assert.deepStrictEqual((yield* backend.live).tensors, before.tensors)
          })
        )
      ),
      { numRuns: 6 }
    )
  )

  it("needs no session where its rules are elementwise, and one for each parameter where they are not", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const backend = yield* Backend
        const sessions = (groups: ReadonlyArray<Layout.Group>, optimizer: Optimizer) =>
          Effect.scoped(
            Effect.gen(function* () {
              yield* compile(groups, optimizer, observer)
              return (yield* backend.live).sessions
            })
          )
        assert.strictEqual(yield* sessions(layout(true), momentum), 0)
        assert.strictEqual(yield* sessions(layout(false), momentum), 4)
        // a function that sweeps lack: one for each group
        const logarithmic: Optimizer = {
          ...momentum,
          update: (input) => {
            const { param, moments } = momentum.update(input)
            return { param: tf.log(tf.add(tf.abs(param), 1)), moments }
          }
        }
        assert.strictEqual(yield* sessions(layout(true), logarithmic), 4)
        assert.strictEqual((yield* backend.live).sessions, 0)
      })
    ))

  it("that cannot be compiled at all says which group it belongs to", () =>
    on(
      engines.onnx,
      Effect.gen(function* () {
        const odd: Optimizer = {
          ...momentum,
          update: ({ param, moments }) => ({ param: tf.cumsum(param), moments })
        }
        const error = yield* Effect.flip(Effect.scoped(compile(layout(true), odd, undefined)))
        assert.match(error.message, /^cannot compile step: update of matrices: .*kernel Cumsum, at .*Update\.test\.ts/)
      })
    ))
})
