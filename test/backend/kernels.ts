import * as fc from "fast-check"
import { type HostTensor, Tensor, tf } from "homodistil/backend"
import { at, type Named } from "./engines.ts"

/** One call of a kernel: its inputs, what is called, and which inputs it is differentiated by. */
export interface Call {
  readonly inputs: Named<HostTensor>
  readonly text: (x: Named<tf.Tensor>) => tf.Tensor
  readonly by: ReadonlyArray<string>
}

type Shape = ReadonlyArray<number>
type DType = Tensor.DType

/** A shape of some rank, with sizes up to 4. */
export const shapes = (minLength: number, maxLength: number): fc.Arbitrary<Shape> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength })

/** A tensor of a shape whose numbers are 64ths in [low, high]. */
export const tensors = (shape: Shape, low = -2, high = 2, dtype: DType = "float32"): fc.Arbitrary<HostTensor> => {
  const [unit, length] = [dtype === "int32" ? 1 : 64, Tensor.elements(shape)]
  return fc
    .array(fc.integer({ min: low * unit, max: high * unit }), { minLength: length, maxLength: length })
    .map((values) =>
      Tensor.host(
        Float64Array.from(values, (v) => v / unit),
        shape,
        dtype
      )
    )
}

// lint takes tfjs' for an array's
const { fill } = tf

const types: fc.Arbitrary<DType> = fc.constantFrom("float32", "int32")
const smooth = (dtype: DType, ...names: ReadonlyArray<string>) => (dtype === "float32" ? names : [])
const x = (inputs: Named<tf.Tensor>): tf.Tensor => at(inputs, "x")

/** Calls of one input `x` of any shape. */
const unary = (
  text: (x: tf.Tensor, shape: Shape) => tf.Tensor,
  o: { low?: number; high?: number; rank?: readonly [number, number]; ints?: boolean; by?: boolean } = {}
): fc.Arbitrary<Call> =>
  fc
    .tuple(shapes(...(o.rank ?? [0, 4])), o.ints === true ? types : fc.constant<DType>("float32"))
    .chain(([shape, dtype]) =>
      tensors(shape, o.low, o.high, dtype).map((value) => ({
        inputs: { x: value },
        text: (inputs) => text(x(inputs), shape),
        by: o.by === false ? [] : smooth(dtype, "x")
      }))
    )

/** Two shapes that broadcast: some sizes of either are 1, and leading ones of one are left out. */
const broadcasting = fc
  .tuple(shapes(0, 4), fc.nat({ max: 4 }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), fc.boolean())
  .map(([shape, drop, ones, swap]): readonly [Shape, Shape] => {
    const other = shape.slice(drop).map((size, i) => (ones[i] === true ? 1 : size))
    return swap ? [other, shape] : [shape, other]
  })

const binary = (
  text: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  o: { low?: number; high?: number; ints?: boolean; by?: ReadonlyArray<string>; alike?: boolean } = {}
): fc.Arbitrary<Call> =>
  fc
    .tuple(
      o.alike === true ? shapes(0, 4).map((s): readonly [Shape, Shape] => [s, s]) : broadcasting,
      o.ints === true ? types : fc.constant<DType>("float32")
    )
    .chain(([[a, b], dtype]) =>
      fc.record({ a: tensors(a, o.low, o.high, dtype), b: tensors(b, o.low, o.high, dtype) }).map((inputs) => ({
        inputs,
        text: (t) => text(at(t, "a"), at(t, "b")),
        by: smooth(dtype, ...(o.by ?? ["a", "b"]))
      }))
    )

const comparison = (text: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  binary((a, b) => tf.cast(text(a, b), "float32"), { ints: true, by: [] })

const masks = (text: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor) =>
  binary((a, b) => tf.cast(text(tf.greater(a, 0), tf.less(b, 1)), "int32"), { by: [] })

/** Several tensors that differ only in one axis, for what joins them. */
const several = (same: boolean, text: (xs: Array<tf.Tensor>, axis: number) => tf.Tensor): fc.Arbitrary<Call> =>
  fc
    .tuple(shapes(1, 3), fc.nat({ max: 2 }), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }))
    .chain(([shape, from, sizes]) => {
      const axis = from % shape.length
      const names = sizes.map((_, i) => `x${i}`)
      const each = sizes.map((size) => tensors(shape.map((whole, i) => (i === axis && !same ? size : whole))))
      return fc.tuple(...each).map((values) => ({
        inputs: Object.fromEntries(values.map((value, i) => [`x${i}`, value])),
        text: (inputs) =>
          text(
            names.map((name) => at(inputs, name)),
            axis
          ),
        by: names
      }))
    })

const reduction = (
  text: (x: tf.Tensor, axes: Array<number> | undefined, keep: boolean) => tf.Tensor,
  o: { ints?: boolean; by?: boolean; low?: number; high?: number } = {}
): fc.Arbitrary<Call> =>
  fc.tuple(fc.boolean(), fc.boolean(), fc.subarray([0, 1, 2, 3])).chain(([keep, all, axes]) =>
    unary(
      (t) => {
        const there = axes.filter((axis) => axis < t.rank)
        return text(t, all ? undefined : there.map((axis) => (axis % 2 === 0 ? axis : axis - t.rank)), keep)
      },
      { ints: true, ...o }
    )
  )

const products = fc
  .record({
    batch: shapes(0, 2),
    m: fc.integer({ min: 1, max: 5 }),
    k: fc.integer({ min: 1, max: 5 }),
    n: fc.integer({ min: 1, max: 5 }),
    ta: fc.boolean(),
    tb: fc.boolean()
  })
  .chain(({ batch, m, k, n, ta, tb }) =>
    fc
      .record({ a: tensors([...batch, ...(ta ? [k, m] : [m, k])]), b: tensors([...batch, ...(tb ? [n, k] : [k, n])]) })
      .map((inputs): Call => ({ inputs, text: (t) => tf.matMul(at(t, "a"), at(t, "b"), ta, tb), by: ["a", "b"] }))
  )

/** Rows of a table picked by indices that repeat. */
const gathering = fc
  .tuple(shapes(1, 3), fc.nat({ max: 2 }), shapes(1, 2), types)
  .chain(([shape, from, index, dtype]) => {
    const axis = from % shape.length
    return fc
      .record({ x: tensors(shape, -2, 2, dtype), indices: tensors(index, 0, (shape[axis] ?? 1) - 1, "int32") })
      .map((inputs): Call => ({
        inputs,
        text: (t) => tf.gather(x(t), at(t, "indices"), axis - shape.length),
        by: smooth(dtype, "x")
      }))
  })

const segmentSums = fc.tuple(shapes(1, 3), fc.integer({ min: 1, max: 4 }), types).chain(([shape, segments, dtype]) =>
  fc
    .record({ x: tensors(shape, -2, 2, dtype), ids: tensors(shape.slice(0, 1), 0, segments - 1, "int32") })
    .map((inputs): Call => ({
      inputs,
      text: (t) => tf.unsortedSegmentSum(x(t), at(t, "ids") as tf.Tensor1D, segments),
      by: smooth(dtype, "x")
    }))
)

const oneHots = fc.tuple(shapes(1, 2), fc.integer({ min: 2, max: 5 })).chain(([shape, depth]) =>
  // an index outside of the depth has no entry
  tensors(shape, -1, depth, "int32").map((indices): Call => ({
    inputs: { indices },
    text: (t) => tf.oneHot(at(t, "indices"), depth, 3, -1, "int32"),
    by: []
  }))
)

const selections = fc.tuple(broadcasting, types).chain(([[a, b], dtype]) =>
  fc.record({ on: tensors(a), a: tensors(a, -2, 2, dtype), b: tensors(b, -2, 2, dtype) }).map((inputs): Call => ({
    inputs,
    text: (t) => tf.where(tf.greater(at(t, "on"), 0), at(t, "a"), at(t, "b")),
    by: smooth(dtype, "a", "b")
  }))
)

const half = (shape: Shape): Array<number> => shape.map((size) => Math.floor((size - 1) / 2))
const positive = { low: 0.25, high: 4 }

/** A way to call every kernel of tfjs for which the compiler has a rule. */
export const kernelCalls: Named<fc.Arbitrary<Call>> = {
  Add: binary(tf.add, { ints: true }),
  Sub: binary(tf.sub, { ints: true }),
  Multiply: fc.oneof(binary(tf.mul, { ints: true }), masks(tf.mul)),
  RealDiv: binary(tf.div, positive),
  // tfjs does not sum these gradients over a broadcast axis
  Maximum: binary(tf.maximum, { ints: true, alike: true }),
  Minimum: binary(tf.minimum, { ints: true, alike: true }),
  Pow: binary(tf.pow, positive),
  AddN: several(true, tf.addN),
  SquaredDifference: binary(tf.squaredDifference, { ints: true, alike: true }),
  Square: unary(tf.square, { ints: true }),
  Rsqrt: unary(tf.rsqrt, positive),
  Neg: unary(tf.neg, { ints: true }),
  Abs: unary(tf.abs, { ints: true }),
  Sign: unary(tf.sign),
  Exp: unary(tf.exp),
  Log: unary(tf.log, positive),
  Sqrt: unary(tf.sqrt, positive),
  Tanh: unary(tf.tanh),
  Sigmoid: unary(tf.sigmoid),
  Relu: unary(tf.relu),
  Erf: unary(tf.erf),
  Floor: unary(tf.floor),
  Reciprocal: unary(tf.reciprocal, positive),
  Sin: unary(tf.sin),
  Cos: unary(tf.cos),
  Step: fc.constantFrom(0, 0.25).chain((slope) => unary((t) => tf.step(t, slope))),
  ClipByValue: unary((t) => tf.clipByValue(t, -1, 1)),
  Identity: unary(tf.clone, { ints: true }),
  Cast: unary((t) => tf.cast(tf.cast(t, "int32"), "float32"), { by: false }),
  Greater: comparison(tf.greater),
  GreaterEqual: comparison(tf.greaterEqual),
  Less: comparison(tf.less),
  LessEqual: comparison(tf.lessEqual),
  Equal: comparison(tf.equal),
  NotEqual: comparison(tf.notEqual),
  LogicalNot: unary((t) => tf.cast(tf.logicalNot(tf.greater(t, 0)), "float32"), { by: false }),
  LogicalAnd: masks(tf.logicalAnd),
  LogicalOr: masks(tf.logicalOr),
  Select: selections,
  Reshape: unary((t) => tf.reshape(t, [-1, 1]), { ints: true }),
  ExpandDims: unary((t) => tf.expandDims(t, -1), { rank: [1, 3], ints: true }),
  Transpose: unary(
    (t, shape) =>
      tf.transpose(
        t,
        shape.map((_, i) => (i + 1) % shape.length)
      ),
    { rank: [2, 4], ints: true }
  ),
  Concat: several(false, tf.concat),
  Pack: several(true, tf.stack),
  Unpack: unary((t, shape) => tf.mul(tf.unstack(t, shape.length - 1)[0] ?? t, 2), { rank: [1, 3] }).filter(
    // nor does it differentiate the unstacking of one
    ({ inputs }) => (at(inputs, "x").shape.at(-1) ?? 0) > 1
  ),
  SplitV: unary((t) => tf.concat(tf.split(t, [1, t.shape[0] === undefined ? 0 : t.shape[0] - 1], 0).toReversed(), 0), {
    rank: [1, 3]
  }).filter(({ inputs }) => (at(inputs, "x").shape[0] ?? 0) > 1),
  Slice: unary((t, shape) => tf.slice(t, half(shape), -1), { rank: [1, 4], ints: true }),
  PadV2: unary(
    (t, shape) =>
      tf.pad(
        t,
        shape.map((_, i): [number, number] => [i, 1]),
        0.5
      ),
    { rank: [1, 4] }
  ),
  Tile: unary(
    (t, shape) =>
      tf.tile(
        t,
        shape.map((_, i) => 1 + i)
      ),
    { rank: [1, 4] }
  ),
  Fill: unary((t) => tf.add(t, fill([...t.shape], 0.5)), { by: false }),
  ZerosLike: unary(tf.zerosLike, { ints: true, by: false }),
  OnesLike: unary(tf.onesLike, { ints: true, by: false }),
  Sum: reduction(tf.sum, { ints: true }),
  Mean: reduction(tf.mean),
  Prod: reduction(tf.prod, { by: false }),
  Max: reduction(tf.max),
  Min: reduction(tf.min),
  ArgMax: unary((t) => tf.argMax(t, -1), { rank: [1, 3], by: false }),
  Softmax: unary((t) => tf.softmax(t), { rank: [1, 4] }),
  BatchMatMul: products,
  GatherV2: gathering,
  UnsortedSegmentSum: segmentSums,
  OneHot: oneHots
}
