import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type HostTensor, ops, Tensor, tf } from "homodistil/backend"
import { kernels } from "../../src/backend/onnx/registry.ts"
import { attendRules } from "../../src/backend/ops/attend.ts"
import { crossEntropyRules } from "../../src/backend/ops/crossEntropy.ts"
import { geluRules } from "../../src/backend/ops/gelu.ts"
import { geluTanhRules } from "../../src/backend/ops/geluTanh.ts"
import { layerNormRules } from "../../src/backend/ops/layerNorm.ts"
import { linearRules } from "../../src/backend/ops/linear.ts"
import { squaredErrorRules } from "../../src/backend/ops/squaredError.ts"
import { swishRules } from "../../src/backend/ops/swish.ts"
import { agree, at, engines, evaluateWith, type Named, on, weight, withGradients } from "./engines.ts"
import { type Call, shapes, tensors } from "./kernels.ts"
import * as loop from "./loops.ts"

/** An operator: how it is called, and what it gives in plain loops over double-precision numbers. */
interface Operator {
  readonly kernels: ReadonlyArray<string>
  readonly calls: fc.Arbitrary<Call & { readonly expected: loop.Text }>
}

const sizes = { min: 1, max: 6 }
const matrix = fc.tuple(fc.integer(sizes), fc.integer(sizes))

/** Calls of an activation; from -12 to 12 its tails are seen, too. */
const activation = (text: (x: tf.Tensor) => tf.Tensor, expected: loop.Text, bound = 6) =>
  shapes(0, 3)
    .chain((shape) => tensors(shape, -bound, bound))
    .map((x) => ({ inputs: { x }, text: (t: Named<tf.Tensor>) => text(at(t, "x")), by: ["x"], expected }))

const gelu = activation(ops.gelu, loop.gelu)
const geluTanh = activation(ops.geluTanh, loop.geluTanh, 12)
const swish = fc.constantFrom(1, 1.702).chain((alpha) => activation((x) => ops.swish(x, alpha), loop.swish(alpha), 12))

// of width 1 every row is constant, which leaves only rounding to normalise
const layerNorm = fc.tuple(fc.integer(sizes), fc.integer({ min: 2, max: 8 })).chain(([rows, width]) =>
  fc.record({ x: tensors([rows, width]), gamma: tensors([width]), beta: tensors([width]) }).map((inputs) => ({
    inputs,
    text: (t: Named<tf.Tensor>) => ops.layerNorm(at(t, "x"), at(t, "gamma"), at(t, "beta"), 0.01),
    by: ["x", "gamma", "beta"],
    expected: loop.layerNorm(0.01, width)
  }))
)

const maskedLayerNorm = fc
  .tuple(fc.integer(sizes), fc.array(fc.boolean(), { minLength: 2, maxLength: 8 }))
  .filter(([, kept]) => kept.includes(true))
  .chain(([rows, kept]) =>
    fc
      .record({ x: tensors([rows, kept.length]), gamma: tensors([kept.length]), beta: tensors([kept.length]) })
      .map((values) => ({
        inputs: { ...values, kept: Tensor.host(kept.map(Number)) },
        text: (t: Named<tf.Tensor>) =>
          ops.maskedLayerNorm(at(t, "x"), at(t, "gamma"), at(t, "beta"), 0.01, at(t, "kept")),
        by: ["x", "gamma", "beta"],
        expected: loop.maskedLayerNorm(0.01, kept)
      }))
  )

const linear = fc.tuple(matrix, fc.integer(sizes)).chain(([[rows, from], to]) =>
  fc.record({ x: tensors([rows, from]), weight: tensors([to, from]), bias: tensors([to]) }).map((inputs) => ({
    inputs,
    text: (t: Named<tf.Tensor>) => ops.linear(at(t, "x"), at(t, "weight"), at(t, "bias")),
    by: ["x", "weight", "bias"],
    expected: loop.linear(rows, from, to)
  }))
)

const scaledProduct = fc.tuple(shapes(0, 2), matrix, fc.integer(sizes)).chain(([batch, [m, k], n]) =>
  fc.record({ a: tensors([...batch, m, k]), b: tensors([...batch, n, k]) }).map((inputs) => ({
    inputs,
    text: (t: Named<tf.Tensor>) => ops.scaledProduct(at(t, "a"), at(t, "b"), 0.25),
    by: ["a", "b"],
    expected: loop.scaledProduct(Tensor.elements(batch), m, k, n, 0.25)
  }))
)

const crossEntropy = fc.tuple(fc.integer(sizes), fc.integer({ min: 2, max: 6 })).chain(([rows, classes]) =>
  fc
    .record({ logits: tensors([rows, classes], -8, 8), labels: tensors([rows], 0, classes - 1, "int32") })
    .map((inputs) => ({
      inputs,
      text: (t: Named<tf.Tensor>) => ops.crossEntropy(at(t, "logits"), at(t, "labels")),
      by: ["logits"],
      expected: loop.crossEntropy(rows, classes)
    }))
)

const klDivergence = matrix.chain(([rows, classes]) =>
  fc.record({ student: tensors([rows, classes], -8, 8), teacher: tensors([rows, classes], -8, 8) }).map((inputs) => ({
    inputs,
    text: (t: Named<tf.Tensor>) => ops.klDivergence(at(t, "student"), at(t, "teacher")),
    by: ["student"],
    expected: loop.klDivergence(rows, classes)
  }))
)

const squaredError = shapes(0, 3).chain((shape) =>
  fc.record({ x: tensors(shape), target: tensors(shape) }).map((inputs) => ({
    inputs,
    text: (t: Named<tf.Tensor>) => ops.squaredError(at(t, "x"), at(t, "target")),
    by: ["x"],
    expected: loop.squaredError
  }))
)

const attention = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), matrix)

const attend = fc.tuple(attention, fc.integer(sizes)).chain(([[rows, heads, [from, to]], width]) =>
  fc
    .record({ scores: tensors([rows, heads, from, to], -8, 8), values: tensors([rows, heads, to, width]) })
    .map((inputs) => ({
      inputs,
      text: (t: Named<tf.Tensor>) => ops.attend(at(t, "scores"), at(t, "values")),
      by: ["scores", "values"],
      expected: loop.attend(rows * heads, from, to, width)
    }))
)

const squaredErrorByHead = fc.tuple(attention, fc.boolean()).chain(([[rows, heads, [from, to]], whole]) =>
  fc
    .record({
      x: tensors([rows, heads, from, to]),
      target: tensors(whole ? [rows, heads, from, to] : [1, heads, 1, 1])
    })
    .map((inputs) => ({
      inputs,
      text: (t: Named<tf.Tensor>) => ops.squaredErrorByHead(at(t, "x"), at(t, "target")),
      by: ["x"],
      expected: loop.squaredErrorByHead(heads, from * to)
    }))
)

const sumByHead = attention.chain(([rows, heads, [from, to]]) =>
  tensors([rows, heads, from, to]).map((x) => ({
    inputs: { x },
    text: (t: Named<tf.Tensor>) => ops.sumByHead(at(t, "x")),
    by: [],
    expected: loop.sumByHead(heads, from * to)
  }))
)

const below = fc.integer({ min: 0, max: ops.dropoutModulus - 1 })
const draws = (count: number, shape: ReadonlyArray<number>) =>
  fc.array(below, { minLength: count, maxLength: count }).map((values) => Tensor.host(values, shape))

const dropout = fc.tuple(matrix, fc.constantFrom(0, 0.1, 0.5)).chain(([[rows, columns], rate]) =>
  fc
    .record({
      x: tensors([rows, columns]),
      rows: draws(2 * rows, [rows, 2]),
      columns: draws(2 * columns, [2, columns])
    })
    .filter((inputs) => !loop.remainders(inputs.rows.data, inputs.columns.data).includes(ops.dropoutModulus - 1))
    .map((inputs) => ({
      inputs,
      text: (t: Named<tf.Tensor>) =>
        tf.mul(ops.dropout(at(t, "x"), rate, { rows: at(t, "rows"), columns: at(t, "columns") }), 1),
      by: ["x"],
      expected: loop.dropout(rate)
    }))
)

const grad = (name: string): ReadonlyArray<string> => [name, `${name}Grad`]

/** Every operator of the room. */
const table: { readonly [name: string]: Operator } = {
  gelu: { kernels: grad("HomodistilGelu"), calls: gelu },
  geluTanh: { kernels: grad("HomodistilGeluTanh"), calls: geluTanh },
  swish: { kernels: grad("HomodistilSwish"), calls: swish },
  layerNorm: { kernels: grad("HomodistilLayerNorm"), calls: layerNorm },
  maskedLayerNorm: { kernels: [], calls: maskedLayerNorm },
  linear: { kernels: grad("HomodistilLinear"), calls: linear },
  scaledProduct: { kernels: grad("HomodistilScaledProduct"), calls: scaledProduct },
  crossEntropy: { kernels: grad("HomodistilCrossEntropy"), calls: crossEntropy },
  klDivergence: { kernels: grad("HomodistilKlDivergence"), calls: klDivergence },
  attend: { kernels: grad("HomodistilAttend"), calls: attend },
  squaredError: { kernels: grad("HomodistilSquaredError"), calls: squaredError },
  squaredErrorByHead: { kernels: grad("HomodistilSquaredErrorByHead"), calls: squaredErrorByHead },
  sumByHead: { kernels: ["HomodistilSumByHead"], calls: sumByHead },
  dropout: { kernels: [], calls: dropout }
}

describe("the table of operators", () => {
  it("holds every operator of the room and every kernel of theirs", () => {
    const functions = Object.entries(ops).flatMap(([name, value]) => (typeof value === "function" ? [name] : []))
    assert.deepStrictEqual(Object.keys(table).toSorted(), functions.toSorted())
    const named = Object.values(table).flatMap((operator) => operator.kernels)
    const rules = {
      ...attendRules,
      ...geluRules,
      ...geluTanhRules,
      ...layerNormRules,
      ...linearRules,
      ...crossEntropyRules,
      ...squaredErrorRules,
      ...swishRules
    }
    assert.sameMembers([...named], Object.keys(rules))
    assert.sameMembers(
      [...named],
      kernels.filter((kernel) => kernel.startsWith("Homodistil"))
    )
  })
})

/** Central differences of the weighted sum of an oracle's outputs. */
const slope = (text: loop.Text, inputs: Named<HostTensor>, name: string): HostTensor => {
  const plain = Object.fromEntries(Object.entries(inputs).map(([key, { data }]) => [key, Float64Array.from(data)]))
  const { shape } = at(inputs, name)
  const sum = (moved: Float64Array): number =>
    text({ ...plain, [name]: moved }).reduce((total, y, i) => total + y * weight(i), 0)
  const step = 1e-5
  return Tensor.host(
    at(plain, name).map((v, i, all) => (sum(all.with(i, v + step)) - sum(all.with(i, v - step))) / (2 * step)),
    shape
  )
}

describe.each(Object.entries(table))("%s", (_, { calls }) => {
  it("is the plain loop in values and slopes, compiled and eager", () =>
    fc.assert(
      fc.asyncProperty(calls, async ({ inputs, text, by, expected }) => {
        const both = evaluateWith(inputs, withGradients(text, by))
        const eager = await on(engines.cpu, both)
        const compiled = await on(engines.onnx, both)
        const plain = Object.fromEntries(
          Object.entries(inputs).map(([key, { data }]) => [key, Float64Array.from(data)])
        )
        const value = { value: Tensor.host(expected(plain), at(eager, "value").shape) }
        const wanted = {
          ...value,
          ...Object.fromEntries(by.map((name) => [`d ${name}`, slope(expected, inputs, name)]))
        }
        agree(eager, wanted, 2e-4)
        agree(compiled, wanted, 2e-4)
        agree(compiled, eager, 2e-5)
      }),
      { numRuns: 12 }
    ))
})

describe("layer normalisation", () => {
  it("gives the bias, not NaN, where all units of a row are equal", async () => {
    const width = 7
    const x = Tensor.host(
      [0.1, 33.3, 1e-3, 1000.1].flatMap((value) => Array.from({ length: width }, () => value)),
      [4, width]
    )
    const inputs = {
      x,
      gamma: Tensor.host(new Float32Array(width).fill(1)),
      beta: Tensor.host(new Float32Array(width))
    }
    const text = ({ x, gamma, beta }: Named<tf.Tensor>) =>
      x === undefined || gamma === undefined || beta === undefined
        ? {}
        : { y: ops.layerNorm(x, gamma, beta, ops.bertEpsilon) }
    const { y } = await on(engines.onnx, evaluateWith(inputs, text))
    assert.isTrue(y?.data.every((v) => Math.abs(v) < 1.1))
  })
})

describe.each([
  ["the divergence", ops.klDivergence],
  ["the squared error", ops.squaredError]
])("%s", (_, loss) => {
  it("sends no gradient to the teacher on any engine", async () => {
    const inputs = { s: Tensor.host([1, 2, 3, 4], [2, 2]), t: Tensor.host([4, 1, 0, 2], [2, 2]) }
    const text = withGradients((x) => loss(at(x, "s"), at(x, "t")), ["s", "t"])
    for (const layer of Object.values(engines)) {
      const made = await on(layer, evaluateWith(inputs, text))
      assert.deepStrictEqual([...at(made, "d t").data], [0, 0, 0, 0])
      assert.isTrue(at(made, "d s").data.some((v) => Math.abs(v) > 0.01))
    }
  })
})
