import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type HostTensor, Tensor, tf } from "homodistil/backend"
import { adamW, type Optimizer } from "homodistil/optimizer"
import { canonical, Seed } from "homodistil/spec"
import { agree, bothWays, type Named } from "./bothWays.ts"
import { pick, runs, uniform } from "./random.ts"

/** Every optimiser: a new one joins by one line. */
const table: ReadonlyArray<{ readonly name: string; readonly optimizer: Optimizer }> = [
  { name: "adamW", optimizer: adamW() },
  { name: "adamW without decay and clipping", optimizer: adamW({ weightDecay: 0, clipNorm: Infinity }) },
  { name: "adamW without memory", optimizer: adamW({ beta1: 0, beta2: 0, weightDecay: 0.1 }) }
]

const [rows, columns] = [3, 4]
const steps = 3

/** A weight and its gradient at every step. */
const history = (n: number): Named<HostTensor> => {
  const seed = Seed.child(Seed.make(n), "optimizer")
  const grads = Array.from(
    { length: steps },
    (_, i) => [`grad${i}`, uniform(Seed.child(seed, "grad", i), [rows, columns])] as const
  )
  return { param: uniform(Seed.child(seed, "param"), [rows, columns], 2), ...Object.fromEntries(grads) }
}

/** The weight and its moments after every gradient. */
const after = (optimizer: Optimizer, inputs: Named<HostTensor>, decays = true) =>
  bothWays("optimiser", inputs, (x) => {
    let param = x["param"] ?? tf.scalar(0)
    let moments: Named<tf.Tensor> = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zerosLike(param)]))
    for (let i = 0; i < steps; i++) {
      const scalars = Object.entries(optimizer.scalars(i, 0.1)).map(
        ([name, value]) => [name, tf.scalar(value)] as const
      )
      const grad = x[`grad${i}`] ?? tf.zerosLike(param)
      const moved = optimizer.update({ param, grad, moments, scalars: Object.fromEntries(scalars), decays })
      param = moved.param
      moments = moved.moments
    }
    return { ...moments, param }
  })

const mapped = (values: Named<HostTensor>, f: (x: HostTensor) => HostTensor): Named<HostTensor> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f(value)]))

const laws: Named<(optimizer: Optimizer) => Promise<void> | void> = {
  "is the same compiled and eager, finite, and keeps every shape": (optimizer) =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (n) => {
        const { compiled, eager } = await after(optimizer, history(n))
        agree(compiled, eager, 1e-5)
        assert.deepStrictEqual(Object.keys(compiled).toSorted(), [...optimizer.slots, "param"].toSorted())
        for (const { shape, data } of Object.values(compiled)) {
          assert.deepStrictEqual(shape, [rows, columns])
          assert.isTrue(data.every(Number.isFinite))
        }
      }),
      runs
    ),
  "commutes with cutting and reordering units": (optimizer) =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.shuffledSubarray([0, 1, 2], { minLength: 1 }),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
        async (n, keptRows, keptColumns) => {
          const cut = (x: HostTensor) => pick(x, keptRows, keptColumns)
          const [whole, part] = [await after(optimizer, history(n)), await after(optimizer, mapped(history(n), cut))]
          agree(part.compiled, mapped(whole.compiled, cut), 1e-6)
        }
      ),
      runs
    ),
  "moves nothing where no gradient ever came, decay aside": async (optimizer) => {
    const still = mapped(history(1), (x) => x)
    const zero = Tensor.host(new Float32Array(rows * columns), [rows, columns])
    const inputs = { ...mapped(still, () => zero), param: still["param"] ?? zero }
    const { compiled } = await after(optimizer, inputs, false)
    assert.deepStrictEqual(compiled["param"], inputs.param)
    for (const slot of optimizer.slots) assert.deepStrictEqual(compiled[slot], zero)
  },
  "goes against the gradient at its first step": async (optimizer) => {
    const inputs = { param: uniform(Seed.make(2), [rows, columns]), grad0: uniform(Seed.make(3), [rows, columns]) }
    const { compiled } = await bothWays("first", inputs, ({ param = tf.scalar(0), grad0 = tf.scalar(0) }) => {
      const scalars = Object.entries(optimizer.scalars(0, 0.1)).map(
        ([name, value]) => [name, tf.scalar(value)] as const
      )
      const moments = Object.fromEntries(optimizer.slots.map((slot) => [slot, tf.zerosLike(param)]))
      const moved = optimizer.update({
        param,
        grad: grad0,
        moments,
        scalars: Object.fromEntries(scalars),
        decays: false
      })
      return { move: tf.sub(moved.param, param) }
    })
    compiled["move"]?.data.forEach((move, i) => assert.isAtMost(move * (inputs.grad0.data[i] ?? 0), 0))
  },
  "says what it is in words that survive JSON": ({ spec }) => {
    const text = canonical({ ...spec, parts: [] })
    assert.strictEqual(canonical(JSON.parse(text) as never), text)
  }
}

describe.each(table)("optimiser $name", ({ optimizer }) => {
  it.each(Object.entries(laws))("%s", async (_, law) => law(optimizer))
})
