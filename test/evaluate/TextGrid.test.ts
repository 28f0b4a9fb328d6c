import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { NotFinite, TextGrid, TextScores } from "../../src/evaluate/index.ts"
import { config, model, run } from "./tiny.ts"
import { encodedToy } from "./texts.ts"

const options = { rows: 8, bucket: 2, pooling: "mean" } as const
const reading = { rows: 8, bucket: 2, pooling: "mean" } as const

describe("TextGrid", () => {
  it("tries every setting with every seed, and gives the best one's scores and parameters", () =>
    run(
      Effect.gen(function* () {
        const encoded = encodedToy({ train: 64, dev: [30] })
        const grid = { learningRates: [1e-12, 0.02, 1e30], epochs: [1, 4], seeds: [0, 1] }
        const events: Array<TextGrid.TextGridEvent> = []
        const found = yield* TextGrid.run(encoded, { ...options, warmup: 0 }, grid, model(0), (event) =>
          Effect.sync(() => events.push(event))
        )
        assert.deepStrictEqual(
          found.trials.map(({ learningRate, epochs, seed }) => ({ learningRate, epochs, seed })),
          TextGrid.trials(grid)
        )
        assert.isTrue(found.trials.slice(8).every(({ best }) => best === undefined))
        const scores = found.best.map(({ best }) => best?.score ?? Number.NaN)
        assert.lengthOf(scores, 2)
        assert.closeTo(found.mean, ((scores[0] ?? 0) + (scores[1] ?? 0)) / 2, 1e-12)
        assert.closeTo(found.deviation, Math.abs((scores[0] ?? 0) - (scores[1] ?? 0)) / Math.sqrt(2), 1e-12)
        for (let at = 0; at < 8; at += 2) {
          const [one, two] = found.trials.slice(at, at + 2).map(({ best }) => best?.score ?? Number.NaN)
          assert.isAtMost(((one ?? 0) + (two ?? 0)) / 2, found.mean + 1e-12)
        }
        assert.closeTo(
          TextScores.mean(yield* TextScores.of(encoded, config, found.parameters, reading)),
          Math.max(...scores),
          1e-12
        )
        const begun = events.flatMap((event) => (event._tag === "Trial" ? [event.index] : []))
        assert.deepStrictEqual(
          begun,
          Array.from({ length: 12 }, (_, i) => i)
        )
      })
    ))

  it("fails where no setting gives a number", () =>
    run(
      Effect.gen(function* () {
        const grid = { learningRates: [1e30], epochs: [1], seeds: [0] }
        const error = yield* Effect.flip(TextGrid.run(encodedToy(), { ...options, warmup: 0 }, grid, model(0)))
        assert.instanceOf(error, NotFinite)
      })
    ))
})
