import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OnnxBackend, Backend } from "homodistil/backend"
import { Latency } from "homodistil/evaluate"
import { BertConfig, type Model, Parameters } from "homodistil/model"
import { Seed } from "homodistil/spec"
import * as tiny from "./tiny.ts"

const sized = (hidden: number, layers: number): Model.Model => {
  const config = BertConfig.uniform({ vocabSize: 50, positions: 64, layers, heads: 2, hidden, ffn: 4 * hidden })
  return { config, parameters: Parameters.initialise(Parameters.bert(config), BertConfig.axes(config), Seed.make(0)) }
}

describe("Latency", () => {
  it.live("gives a time for each model", () =>
    Effect.gen(function* () {
      const [large = 0, small = 0] = yield* Latency.measure([sized(96, 6), sized(8, 1)], {
        rows: 4,
        seconds: 0,
        rounds: 2
      })
      assert.isTrue(large > 0 && small > 0)
    }).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))
  )

  it.effect("ends where the clock stands still, shortens what is too long for a model, and leaves nothing behind", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(0)
      const backend = yield* Backend
      const before = yield* backend.live
      const times = yield* Latency.measure([tiny.model(1), tiny.model(2)], { rounds: 1, seconds: 1 })
      assert.deepEqual(times, [0, 0])
      assert.deepEqual(yield* backend.live, before)
    }).pipe(Effect.provide(OnnxBackend.layer({ threads: 1 })))
  )
})
