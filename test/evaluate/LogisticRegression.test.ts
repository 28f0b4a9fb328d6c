import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Tensor } from "../../src/backend/index.ts"
import { LogisticRegression } from "../../src/evaluate/index.ts"
import { Seed } from "../../src/spec/index.ts"
import { run } from "./tiny.ts"

const width = 6
const classes = 3
const options = { classes, l2: 1e-3, iterations: 200, tolerance: 1e-5 }

const features = (seed: number, rows: number): Float64Array => Seed.normals(Seed.make(`features ${seed}`), rows * width)

const rowsOf = (values: ArrayLike<number>, labels: ArrayLike<number>): LogisticRegression.Rows => ({
  features: Tensor.host(values, [labels.length, width]),
  labels: Tensor.host(labels, [labels.length], "int32")
})

/** Gaussian clouds far from each other, on features of very different scales. */
const separable = (seed: number, rows: number): LogisticRegression.Rows => {
  const labels = Int32Array.from({ length: rows }, (_, row) => row % classes)
  const values = features(seed, rows).map((z, i) => {
    const [row, column] = [Math.floor(i / width), i % width]
    return 10 ** column * (z + (column === labels[row] ? 12 : 0) + 5)
  })
  return rowsOf(values, labels)
}

describe("LogisticRegression", () => {
  it("tells separable classes apart", () =>
    run(
      Effect.gen(function* () {
        const fitted = yield* LogisticRegression.fit(separable(0, 300), options)
        assert.isAtMost(fitted.slope, 1e-5)
        assert.strictEqual(yield* LogisticRegression.accuracy(fitted, separable(1, 300)), 1)
      })
    ))

  it("stays near chance on random labels", () =>
    run(
      Effect.gen(function* () {
        const labels = (seed: number) => Seed.integers(Seed.make(`labels ${seed}`), 900, classes)
        const fitted = yield* LogisticRegression.fit(rowsOf(features(0, 900), labels(0)), options)
        const accuracy = yield* LogisticRegression.accuracy(fitted, rowsOf(features(1, 900), labels(1)))
        // five standard deviations of 900 guesses
        assert.closeTo(accuracy, 1 / classes, 5 * Math.sqrt(2 / 9 / 900))
      })
    ))

  it("reaches the minimum that plain loops in double precision confirm", () =>
    run(
      Effect.gen(function* () {
        const { features, labels } = separable(2, 60)
        const fitted = yield* LogisticRegression.fit({ features, labels }, options)
        const weight = (c: number, j: number) => fitted.weight.data[c * width + j] ?? 0
        const slopes = new Float64Array(classes * width)
        let loss = 0
        for (let row = 0; row < 60; row++) {
          const x = Array.from(
            { length: width },
            (_, j) => ((features.data[row * width + j] ?? 0) - (fitted.mean[j] ?? 0)) * (fitted.scale[j] ?? 0)
          )
          const logits = Array.from({ length: classes }, (_, c) =>
            x.reduce((sum, each, j) => sum + each * weight(c, j), fitted.bias.data[c] ?? 0)
          )
          const all = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0))
          const label = labels.data[row] ?? 0
          loss += (all - (logits[label] ?? 0)) / 60
          logits.forEach((z, c) =>
            x.forEach((each, j) => {
              const error = Math.exp(z - all) - Number(c === label)
              slopes[c * width + j] = (slopes[c * width + j] ?? 0) + (error * each) / 60
            })
          )
        }
        fitted.weight.data.forEach((w, i) => {
          loss += options.l2 * w * w
          assert.closeTo((slopes[i] ?? 0) + 2 * options.l2 * w, 0, 2e-5)
        })
        assert.closeTo(fitted.loss, loss, 1e-5)
      })
    ))

  it("does not depend on the order of the rows", () =>
    run(
      Effect.gen(function* () {
        const { features, labels } = separable(3, 120)
        const order = Seed.permutation(Seed.make(0), 120)
        const shuffled = rowsOf(
          [...order].flatMap((row) => [...features.data.subarray(row * width, (row + 1) * width)]),
          order.map((row) => labels.data[row] ?? 0)
        )
        const one = yield* LogisticRegression.fit({ features, labels }, options)
        const other = yield* LogisticRegression.fit(shuffled, options)
        one.weight.data.forEach((w, i) => assert.closeTo(other.weight.data[i] ?? 0, w, 2e-3))
        assert.closeTo(one.loss, other.loss, 1e-6)
      })
    ))
})
