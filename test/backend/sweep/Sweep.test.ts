import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { evaluateAll, Tensor, tf } from "homodistil/backend"
import * as Scorer from "homodistil/importance"
import { adamW } from "homodistil/optimizer"
import * as Effect from "effect/Effect"
import { record } from "../../../src/backend/onnx/TracingBackend.ts"
import * as Arena from "../../../src/backend/sweep/Arena.ts"
import * as Runner from "../../../src/backend/sweep/Runner.ts"
import * as Sweep from "../../../src/backend/sweep/Sweep.ts"
import { bits, loop, number, recorded, scalars, text, vectors } from "./texts.ts"

type Named<A> = { readonly [name: string]: A }

const runner = Runner.make({ arena: Arena.make(4096) })
const { arena } = runner
const lengths = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 8, 13) },
  { weight: 1, arbitrary: fc.constantFrom(4095, 4096, 4097, 20_000) }
)
/** Where each of four vectors lies: in the arena, or elsewhere. */
const places = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })

const made = (
  recorded: Parameters<typeof Sweep.make>[1],
  vectorOf?: (output: string) => string,
  on = runner
): Sweep.Sweep => Result.getOrThrow(Sweep.make(on, recorded, vectorOf))

const place = (values: Float32Array, inside: boolean): Float32Array => {
  if (!inside) return values.slice()
  const array = arena.allocate(values.length, "float32")
  array.set(values)
  return array
}

describe("a sweep", () => {
  it("is its text, operator by operator in float32, wherever its vectors lie; every element is read before it is written", () =>
    fc.assert(
      fc.property(
        text,
        lengths,
        places,
        fc.array(number, { minLength: 23, maxLength: 23 }),
        fc.array(number, { minLength: 2, maxLength: 2 }),
        (text, length, inside, pool, numbers) => {
          const sweep = made(recorded(text, length))
          const values = [...vectors, "made"].map((_, k) =>
            Float32Array.from({ length }, (_, i) => pool[(i * (k + 1) + k) % pool.length] ?? 0)
          )
          const arrays = values.map((value, k) => place(value, inside[k] ?? true))
          sweep.run(
            Object.fromEntries([...vectors, "made"].map((name, k) => [name, arrays[k] ?? new Float32Array()])),
            Object.fromEntries(scalars.map((name, k) => [name, numbers[k] ?? 0]))
          )
          const wanted = values.map((value) => [...value])
          for (let i = 0; i < length; i++) {
            const results = loop(
              text,
              vectors.map((_, k) => values[k]?.[i] ?? 0),
              numbers
            )
            text.outputs.forEach(({ name }, k) => {
              const column = wanted[[...vectors, "made"].indexOf(name)]
              if (column !== undefined) column[i] = results[k] ?? 0
            })
          }
          arrays.forEach((array, k) => assert.deepStrictEqual(bits(array), bits(wanted[k] ?? [])))
          arrays.forEach(arena.free)
        }
      ),
      { numRuns: 400 }
    ))

  it("leaves what lies next to its vectors alone", () => {
    const text = record(
      [{ path: "x", spec: Tensor.float(6) }],
      (tensors) => tf.add(tensors.get("x") ?? 0, 1),
      (x) => [["x", x]]
    )
    const array = arena.allocate(16, "float32")
    made(text).run({ x: array.subarray(3, 9) }, {})
    assert.deepStrictEqual([...array], [0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
  })

  it("takes vectors of any one length, whatever it was recorded for", () => {
    const sweep = made(recorded({ lines: [], outputs: [{ name: "v0", value: 1 }] }, 3))
    for (const length of [0, 1, 9]) {
      const [v0, v1] = [new Float32Array(length), new Float32Array(length).fill(2)]
      sweep.run({ v0, v1 }, {})
      assert.deepStrictEqual(v0, v1)
    }
  })

  it("tells what it needs, reads and writes", () => {
    const sweep = made(
      record(
        ["x", "y", "idle", "rate"].map((path) => ({ path, spec: path === "rate" ? Tensor.float() : Tensor.float(2) })),
        (tensors) => tf.mul(tensors.get("x") ?? 0, tensors.get("rate") ?? 0),
        (x) => [["product", x]]
      ),
      (output) => (output === "product" ? "y" : output)
    )
    assert.deepStrictEqual(sweep.vectors, [
      { name: "x", reads: true, writes: false },
      { name: "y", reads: false, writes: true }
    ])
    assert.deepStrictEqual(sweep.scalars, ["rate"])
  })

  it("misses inputs, and refuses lengths that differ and vectors that overlap what is written", () => {
    const sweep = made(
      recorded(
        {
          lines: [
            { op: "add", from: [0, 1, 0, 0] },
            { op: "mul", from: [5, 3, 0, 0] }
          ],
          outputs: [{ name: "v0", value: 6 }]
        },
        4
      )
    )
    const outputs = ["v0", "v1"].map((name, i) => ({ name, value: 1 - i }))
    const swap = made(recorded({ lines: [], outputs }, 4))
    const array = arena.allocate(12, "float32")
    const [v0, v1] = [array.subarray(0, 8), array.subarray(4, 12)]
    const s0 = 1
    assert.throws(() => sweep.run({ v0 }, { s0 }), /needs a vector v1/)
    assert.throws(() => sweep.run({ v0, v1: new Float32Array(8) }, {}), /needs a scalar s0/)
    assert.throws(() => sweep.run({ v0, v1: new Float32Array(7) }, { s0 }), /v1 has 7 elements, another one 8/)
    assert.throws(() => sweep.run({ v0, v1 }, { s0 }), /v0 is written and overlaps vector v1/)
    const elsewhere = new Float32Array(9)
    assert.throws(() => sweep.run({ v0: elsewhere.subarray(1), v1: elsewhere.subarray(0, 8) }, { s0 }), /overlaps/)
    assert.throws(() => swap.run({ v0, v1: v0 }, {}), /v0 is written and overlaps vector v1/)
    // the same vector twice is fine where only one of them is written
    v0.fill(3)
    sweep.run({ v0, v1: v0 }, { s0: 0.5 })
    assert.isTrue(v0.every((value) => value === 3))
  })

  it("of more vectors than there is room for cannot be made", () => {
    const paths = Array.from({ length: runner.job.length + 1 }, (_, i) => `x${i}`)
    const wide = record(
      paths.map((path) => ({ path, spec: Tensor.float(2) })),
      (tensors) => tf.addN(paths.map((path) => tensors.get(path) ?? tf.scalar(0))),
      (x) => [["x0", x]]
    )
    const result = Sweep.make(runner, wide)
    assert.isTrue(Result.isFailure(result) && /more than \d+ vectors/.test(result.failure.message))
  })
})

/** Every scorer that treats weights alone. */
const scorers: ReadonlyArray<Scorer.ImportanceScorer> = [
  Scorer.magnitude(),
  Scorer.movement(),
  ...[1, 3].flatMap((window) => [
    Scorer.sensitivity({ window }),
    Scorer.taylor({ window }),
    Scorer.fisher({ window }),
    Scorer.gradient({ window }),
    Scorer.platon({ window })
  ]),
  Scorer.ema(0.9)(Scorer.gradient({ window: 2 })),
  Scorer.upperConfidence()(Scorer.fisher({ window: 1 }))
]

const prefixed = <A>(prefix: string, values: Named<A>): Named<A> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]))
const inner = <A>(prefix: string, values: Named<A>): Named<A> =>
  Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : []
    )
  )

describe("an optimiser's step and an observation as one sweep", () => {
  const optimizer = adamW()
  it.each(scorers.flatMap((scorer) => [true, false].map((decays) => ({ scorer, decays }))))(
    "are what tfjs computes: $scorer.spec.name, decays: $decays",
    async ({ scorer, decays }) => {
      const length = 37
      const names = ["param", "grad", "m:mean", "m:square", ...scorer.slots.map((slot) => `s:${slot}`)]
      const numbers = (step: number) => ({
        ...prefixed("o:", optimizer.scalars(step, 0.01)),
        ...prefixed("i:", scorer.scalars(step)),
        clip: 0.75
      })
      const update = (vectors: Named<tf.Tensor>, scalars: Named<tf.Tensor>): Named<tf.Tensor> => {
        const zero = tf.scalar(0)
        const grad = tf.mul(vectors["grad"] ?? zero, scalars["clip"] ?? zero)
        const moved = optimizer.update({
          param: vectors["param"] ?? zero,
          grad,
          moments: inner("m:", vectors),
          scalars: inner("o:", scalars),
          decays
        })
        const slots = scorer.update(inner("s:", vectors), { param: moved.param, grad, scalars: inner("i:", scalars) })
        return { param: moved.param, ...prefixed("m:", moved.moments), ...prefixed("s:", slots) }
      }
      const scalarNames = Object.keys(numbers(0))
      const sweep = made(
        record(
          [
            ...names.map((path) => ({ path, spec: Tensor.float(length) })),
            ...scalarNames.map((path) => ({ path, spec: Tensor.float() }))
          ],
          (tensors) => {
            const all = Object.fromEntries(tensors)
            return update(all, all)
          },
          (results) => Object.entries(results)
        )
      )
      const state = Object.fromEntries(names.map((name) => [name, arena.allocate(length, "float32")]))
      state["param"]?.forEach((_, i, array) => (array[i] = Math.sin(i)))
      let eager: Named<Float32Array> = Object.fromEntries(
        names.map((name) => [name, Float32Array.from(state[name] ?? [])])
      )
      for (let step = 0; step < 5; step++) {
        for (const values of [state, eager])
          values["grad"]?.forEach(
            (_, i, array) => (array[i] = i % 9 === 0 ? 0 : Math.cos(i * (step + 1)) * 10 ** (i % 5) * 0.01)
          )
        const inputs = {
          vectors: Object.fromEntries(Object.entries(eager).map(([name, values]) => [name, Tensor.host(values)])),
          scalars: Object.fromEntries(
            Object.entries(numbers(step)).map(([name, value]) => [name, Tensor.scalar(value)])
          )
        }
        const results = await Effect.runPromise(evaluateAll(inputs, ({ vectors, scalars }) => update(vectors, scalars)))
        eager = {
          ...eager,
          ...Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Float32Array.from(data)]))
        }
        sweep.run(state, numbers(step))
        for (const name of names) assert.deepStrictEqual(bits(state[name] ?? []), bits(eager[name] ?? []), name)
      }
    }
  )
})

describe("threads", () => {
  it("change no bit", async () => {
    const length = 700_003
    const both = Runner.make({ arena, threads: 2 })
    const lines = [
      { op: "mul", from: [0, 3, 0, 0] },
      { op: "add", from: [5, 1, 0, 0] },
      { op: "sqrt", from: [6, 0, 0, 0] }
    ] as const
    const text = recorded(
      {
        lines,
        outputs: [
          { name: "v0", value: 7 },
          { name: "v1", value: 6 }
        ]
      },
      length
    )
    const [alone, shared] = [runner, both].map((on) => ({
      sweep: made(text, undefined, on),
      state: {
        v0: place(
          Float32Array.from({ length }, (_, i) => Math.sin(i)),
          true
        ),
        v1: place(
          Float32Array.from({ length }, (_, i) => Math.cos(i)),
          true
        )
      }
    }))
    if (alone === undefined || shared === undefined) throw new RangeError("two runners")
    // the other thread takes part once it has started; a second kernel reaches it while it runs
    for (let run = 0; run < 5000 && (run < 5 || both.helped() === 0); run++) {
      for (const { sweep, state } of [alone, shared]) sweep.run(state, { s0: 0.99 })
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const helped = both.helped()
    assert.isAbove(helped, 0)
    const second = recorded({ lines: [{ op: "sub", from: [0, 1, 0, 0] }], outputs: [{ name: "v0", value: 5 }] }, length)
    made(second).run(alone.state, {})
    const late = made(second, undefined, both)
    late.run(shared.state, {})
    assert.deepStrictEqual(bits(alone.state.v0), bits(shared.state.v0))
    assert.deepStrictEqual(bits(alone.state.v1), bits(shared.state.v1))
    await both.close()
  })
})
