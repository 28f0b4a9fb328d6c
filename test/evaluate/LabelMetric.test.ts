import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { LabelMetric } from "../../src/evaluate/index.ts"

const Golden = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      kind: Schema.Literals(["classes", "scores"]),
      predicted: Schema.Array(Schema.Finite),
      labels: Schema.Array(Schema.Finite),
      metrics: Schema.Struct({
        accuracy: Schema.optionalKey(Schema.Finite),
        f1: Schema.optionalKey(Schema.Finite),
        matthews: Schema.optionalKey(Schema.Finite),
        pearson: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
        spearman: Schema.optionalKey(Schema.NullOr(Schema.Finite))
      })
    })
  )
)
const golden = Schema.decodeSync(Golden)(readFileSync(new URL("../golden/metrics.json", import.meta.url), "utf8"))
const names = ["accuracy", "f1", "matthews", "pearson", "spearman"] as const

describe("LabelMetric", () => {
  it("is what scikit-learn and SciPy say; 0 where SciPy has no number", () => {
    for (const { predicted, labels, metrics } of golden)
      for (const name of names) {
        const expected = metrics[name]
        if (expected === undefined) continue
        const message = `${name} of ${predicted.join(" ")} against ${labels.join(" ")}`
        assert.closeTo(LabelMetric.byName[name](predicted, labels), expected ?? 0, 1e-12, message)
      }
    for (const name of names) assert.isAbove(golden.filter(({ metrics }) => metrics[name] !== undefined).length, 5)
  })

  it("is no number of no labels", () => {
    for (const name of names) assert.isNaN(LabelMetric.byName[name]([], []))
  })

  it("is 1 of labels themselves where they differ, and F1 where class 1 is among them", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 2, maxLength: 30 }), (labels) => {
        assert.strictEqual(LabelMetric.accuracy(labels, labels), 1)
        assert.strictEqual(LabelMetric.f1(labels, labels), labels.includes(1) ? 1 : 0)
        const differ = new Set(labels).size > 1
        for (const name of ["matthews", "pearson", "spearman"] as const)
          assert.closeTo(LabelMetric.byName[name](labels, labels), differ ? 1 : 0, 1e-12)
      })
    )
  })

  it("is the plain two-class formula of Matthews", () => {
    const bits = fc.array(fc.tuple(fc.nat(1), fc.nat(1)), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(bits, (pairs) => {
        const count = (p: number, y: number) => pairs.filter(([a, b]) => a === p && b === y).length
        const [tp, fp, fn, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)]
        const below = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        const said = pairs.map(([p]) => p)
        const is = pairs.map(([, y]) => y)
        assert.closeTo(LabelMetric.matthews(said, is), below === 0 ? 0 : (tp * tn - fp * fn) / below, 1e-12)
      })
    )
  })

  it("keeps Pearson under a new scale, Spearman under any rising map, and both within -1 … 1", () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 2,
      maxLength: 30
    })
    fc.assert(
      fc.property(pairs, (both) => {
        const [x, y] = [both.map(([a]) => a), both.map(([, b]) => b)]
        const [pearson, spearman] = [LabelMetric.pearson(x, y), LabelMetric.spearman(x, y)]
        assert.isTrue(Math.abs(pearson) <= 1 && Math.abs(spearman) <= 1)
        const scaled = x.map((a) => 3 * a + 7)
        assert.closeTo(LabelMetric.pearson(scaled, y), pearson, 1e-9)
        assert.closeTo(
          LabelMetric.spearman(
            x.map((a) => a ** 3),
            y
          ),
          spearman,
          1e-12
        )
        assert.closeTo(LabelMetric.pearson(y, x), pearson, 1e-12)
      })
    )
  })

  it("ranks so that ties share the mean of their ranks", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 20 }), (values) => {
        const ranks = LabelMetric.ranks(values)
        values.forEach((value, i) => {
          const below = values.filter((other) => other < value).length
          const alike = values.filter((other) => other === value).length
          assert.strictEqual(ranks[i], below + (alike + 1) / 2)
        })
      })
    )
  })
})
