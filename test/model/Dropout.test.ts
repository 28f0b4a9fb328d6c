import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { Backend, type HostTensor, OnnxBackend, TfjsBackend, Tensor, tf, transfer } from "homodistil/backend"
import { Dropout } from "homodistil/model"
import { Seed } from "homodistil/spec"
import { config } from "./tiny.ts"

const engines = { onnx: OnnxBackend.layer({ threads: 2 }), cpu: TfjsBackend.layer("cpu") }
const rates = { hidden: 0.1, attention: 0.25 }
const [rows, length] = [64, 6]

/** Ones after dropout at every site: what is kept, scaled. */
const masks = (engine: keyof typeof engines, draws: Dropout.Draws<HostTensor>): Promise<Record<string, HostTensor>> =>
  Effect.gen(function* () {
    const backend = yield* Backend
    const signature = Dropout.signature(config, rates, rows, length)
    const compiled = yield* backend.compile("masks", signature, (draws) =>
      Object.fromEntries(
        Object.entries(draws).map(([name, { rows, columns }]) => [
          name,
          Dropout.apply(tf.ones([rows.shape[0] ?? 0, columns.shape[1] ?? 0]), { rates, draws }, name)
        ])
      )
    )
    return yield* transfer.download(backend, yield* compiled.run(yield* transfer.upload(backend, draws)))
  }).pipe(Effect.scoped, Effect.provide(engines[engine]), Effect.runPromise)

const draw = (seed: Seed.Seed) => Dropout.draw(config, rates, rows, length, seed)
const rateOf = (name: string) => (name.endsWith("probabilities") ? rates.attention : rates.hidden)

describe("dropout", () => {
  it("has a site on the embedding and three in each layer, where its rate is not 0", () => {
    const names = (r: Dropout.DropoutRates) => Object.keys(Dropout.signature(config, r, 2, 3)).toSorted()
    assert.deepStrictEqual(names(Dropout.none), [])
    assert.deepStrictEqual(names({ hidden: 0, attention: 0.1 }), ["layer.0.probabilities", "layer.1.probabilities"])
    assert.lengthOf(names(rates), 1 + 3 * config.layers)
    assert.deepStrictEqual(Object.keys(Dropout.draw(config, rates, 2, 3, Seed.make(0))).toSorted(), names(rates))
  })

  it("is the identity without draws for a site", () => {
    const x = tf.tensor([1, 2])
    assert.strictEqual(Dropout.apply(x, undefined, "embedding"), x)
    assert.strictEqual(Dropout.apply(x, { rates, draws: {} }, "embedding"), x)
    x.dispose()
  })

  it("is a function of the seed, to the last entry the same on every engine", async () => {
    const seed = Seed.child(Seed.make(1), "dropout", 5)
    const [a, b] = [await masks("onnx", draw(seed)), await masks("cpu", draw(seed))]
    assert.deepStrictEqual(Object.keys(a), Object.keys(b))
    for (const [name, { data }] of Object.entries(a)) {
      // the factor itself is rounded alike; what is dropped is dropped on both
      assert.deepStrictEqual([...(b[name]?.data ?? [])], [...data], name)
    }
    const next = await masks("cpu", draw(Seed.child(Seed.make(1), "dropout", 6)))
    for (const [name, { data }] of Object.entries(b)) assert.notDeepEqual(next[name]?.data, data, name)
  })

  it("keeps the share it should, at every site, and keeps the mean", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), async (n) => {
        for (const [name, { data }] of Object.entries(await masks("onnx", draw(Seed.make(n))))) {
          const [rate, size] = [rateOf(name), data.length]
          const kept = data.filter((v) => v !== 0)
          // entries are pairwise independent, so the share has the binomial's variance; five deviations of it
          const bound = 5 * Math.sqrt((rate * (1 - rate)) / size) + 1 / 4093
          assert.isTrue(Math.abs(kept.length / size - (1 - rate)) < bound, `${name}: ${kept.length / size}`)
          assert.isTrue(kept.every((v) => Math.abs(v - 1 / (1 - rate)) < 1e-6))
          assert.isTrue(Math.abs(Array.from(data).reduce((a, b) => a + b, 0) / size - 1) < bound / (1 - rate))
        }
      }),
      { numRuns: 8 }
    ))

  it("drops neighbours independently, along rows and columns", async () => {
    const { embedding } = await masks("onnx", draw(Seed.make("pairs")))
    const data = embedding?.data ?? new Float32Array()
    const dropped = (i: number) => (data[i] === 0 ? 1 : 0)
    for (const gap of [1, config.hidden]) {
      const pairs = data.length - gap
      const both = Array.from({ length: pairs }, (_, i) => dropped(i) * dropped(i + gap)).reduce((a, b) => a + b, 0)
      assert.isTrue(
        Math.abs(both / pairs - rates.hidden ** 2) < 5 * Math.sqrt(rates.hidden ** 2 / pairs),
        `${both / pairs}`
      )
    }
  })

  it("draws whole numbers below the modulus, of the shapes it announces", () => {
    const signature = Dropout.signature(config, rates, rows, length)
    for (const [name, { rows, columns }] of Object.entries(draw(Seed.make(2)))) {
      assert.deepStrictEqual([rows.shape, columns.shape], [signature[name]?.rows.shape, signature[name]?.columns.shape])
      for (const { data } of [rows, columns])
        assert.isTrue(
          data.every((v) => Number.isInteger(v) && v >= 0 && v < 4093),
          name
        )
    }
    assert.strictEqual(Tensor.elements(signature["embedding"]?.rows.shape ?? []), 2 * rows * length)
  })
})
