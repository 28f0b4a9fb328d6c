import * as fc from "fast-check"
import { Tensor, tf } from "homodistil/backend"
import "../../../src/backend/onnx/registry.ts"
import { record } from "../../../src/backend/onnx/TracingBackend.ts"
import type { Recorded } from "../../../src/backend/sweep/Program.ts"

// Random elementwise texts, each as tensor code and as plain loops over numbers that round to float32 after every operation.

/** A line of a text: an operator, and from which earlier values it takes its inputs (counted round). */
export interface Line {
  readonly op: keyof typeof operators
  readonly from: readonly [number, number, number, number]
}

/** A text over named vectors and scalars: its lines, and which values it gives back under which names. */
export interface Text {
  readonly lines: ReadonlyArray<Line>
  readonly outputs: ReadonlyArray<{ readonly name: string; readonly value: number }>
}

type T = tf.Tensor
const f = Math.fround
const mask = (x: boolean): number => (x ? 1 : 0)
const float = (x: T): T => tf.cast(x, "float32")

/** Each operator twice. */
export const operators = {
  add: [(a: T, b: T) => tf.add(a, b), (a: number, b: number) => f(a + b)],
  sub: [(a: T, b: T) => tf.sub(a, b), (a: number, b: number) => f(a - b)],
  mul: [(a: T, b: T) => tf.mul(a, b), (a: number, b: number) => f(a * b)],
  div: [(a: T, b: T) => tf.div(a, b), (a: number, b: number) => f(a / b)],
  least: [(a: T, b: T) => tf.minimum(a, b), (a: number, b: number) => Math.min(a, b)],
  most: [(a: T, b: T) => tf.maximum(a, b), (a: number, b: number) => Math.max(a, b)],
  sqrt: [(a: T) => tf.sqrt(a), (a: number) => f(Math.sqrt(a))],
  abs: [(a: T) => tf.abs(a), (a: number) => Math.abs(a)],
  neg: [(a: T) => tf.neg(a), (a: number) => -a],
  square: [(a: T) => tf.square(a), (a: number) => f(a * a)],
  reciprocal: [(a: T) => tf.reciprocal(a), (a: number) => f(1 / a)],
  rsqrt: [(a: T) => tf.rsqrt(a), (a: number) => f(1 / f(Math.sqrt(a)))],
  relu: [(a: T) => tf.relu(a), (a: number) => Math.max(a, 0)],
  floor: [(a: T) => tf.floor(a), (a: number) => Math.floor(a)],
  sign: [(a: T) => tf.sign(a), (a: number) => (a > 0 ? 1 : a < 0 ? -1 : 0)],
  step: [(a: T) => tf.step(a, 0.25), (a: number) => f(mask(a > 0) + f(f(1 - mask(a > 0)) * 0.25))],
  clip: [(a: T) => tf.clipByValue(a, -0.5, 2), (a: number) => (a > 2 ? 2 : a < -0.5 ? -0.5 : a)],
  sum: [
    (a: T, b: T, c: T) => {
      const all = tf.add(tf.add(a, b), c)
      return tf.addN([...[a, b].map((x) => tf.add(x, tf.zerosLike(all))), tf.add(c, tf.onesLike(all))])
    },
    (a: number, b: number, c: number) => f(f(f(a + 0) + f(b + 0)) + f(c + 1))
  ],
  difference: [(a: T, b: T) => tf.squaredDifference(a, b), (a: number, b: number) => f(f(a - b) * f(a - b))],
  constant: [(a: T) => tf.mul(a, 0.1), (a: number) => f(a * f(0.1))],
  choose: [
    (a: T, b: T, c: T, d: T) => tf.where(tf.greater(a, b), tf.add(c, tf.zerosLike(a)), tf.add(d, tf.zerosLike(b))),
    (a: number, b: number, c: number, d: number) => (a > b ? f(c + 0) : f(d + 0))
  ],
  both: [
    (a: T, b: T, c: T) => float(tf.logicalAnd(tf.lessEqual(a, b), tf.logicalNot(tf.equal(b, c)))),
    (a: number, b: number, c: number) => mask(a <= b && b !== c)
  ],
  either: [
    (a: T, b: T, c: T) => float(tf.logicalOr(tf.less(a, b), tf.greaterEqual(b, c))),
    (a: number, b: number, c: number) => mask(a < b || b >= c)
  ],
  differs: [(a: T, b: T) => float(tf.notEqual(a, b)), (a: number, b: number) => mask(a !== b)]
} as const

const at = <A>(values: ReadonlyArray<A>, i: number): A => {
  const value = values[i % values.length]
  if (value === undefined) throw new RangeError("a text needs inputs")
  return value
}

const apply = <A>(f: (...inputs: ReadonlyArray<A>) => A, values: ReadonlyArray<A>, from: Line["from"]): A =>
  f(...from.map((i) => at(values, i)))

const widen = <A>(f: (...inputs: Array<A>) => A): ((...inputs: ReadonlyArray<A>) => A) => f

/** All values of a text: inputs first, then those of its lines. */
const evaluate = <A>(
  lines: ReadonlyArray<Line>,
  inputs: ReadonlyArray<A>,
  way: (line: Line) => (...inputs: Array<A>) => A
): ReadonlyArray<A> =>
  lines.reduce<ReadonlyArray<A>>((values, line) => [...values, apply(widen(way(line)), values, line.from)], inputs)

const asTensors = (line: Line): ((...inputs: Array<T>) => T) => operators[line.op][0]
const asNumbers = (line: Line): ((...inputs: Array<number>) => number) => operators[line.op][1]

/** Names of a text's inputs. */
export const vectors = ["v0", "v1", "v2"] as const
export const scalars = ["s0", "s1"] as const

/** A text recorded for vectors of a length. Every output is a vector: the first one is added to it, times 0, where it may be a scalar. */
export const recorded = ({ lines, outputs }: Text, length: number): Recorded =>
  record(
    [
      ...vectors.map((path) => ({ path, spec: Tensor.float(length) })),
      ...scalars.map((path) => ({ path, spec: Tensor.float() }))
    ],
    (tensors) => {
      const given = [...vectors, ...scalars].map((name) => tensors.get(name) ?? tf.scalar(0))
      const values = evaluate(lines, given, asTensors)
      const mask = tf.equal(at(given, 0), at(given, 0))
      return outputs.map(({ name, value }): [string, T] => {
        const made = at(values, value)
        return [name, tf.where(mask, tf.add(made, tf.zerosLike(at(given, 0))), -1)]
      })
    },
    (made) => made
  )

/** The outputs of a text for one element. */
export const loop = (
  { lines, outputs }: Text,
  element: ReadonlyArray<number>,
  numbers: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const given = [...element, ...numbers.map(f)]
  const values = evaluate(lines, given, asNumbers)
  return outputs.map(({ value }) => (at(given, 0) === at(given, 0) ? f(at(values, value) + 0) : -1))
}

const names = (Object.keys(operators) as ReadonlyArray<keyof typeof operators>).slice()

/** Random texts: a few outputs replace inputs, one is a vector of its own. */
export const text: fc.Arbitrary<Text> = fc
  .record({
    lines: fc.array(
      fc.record({ op: fc.constantFrom(...names), from: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99)) }),
      { minLength: 1, maxLength: 14 }
    ),
    written: fc.subarray([...vectors]),
    values: fc.array(fc.nat(99), { minLength: 4, maxLength: 4 })
  })
  .map(({ lines, written, values }) => ({
    lines,
    outputs: [...written, "made"].map((name, i) => ({ name, value: values[i] ?? 0 }))
  }))

/** Float32 numbers with all that is odd about them, and many that are equal. */
export const number: fc.Arbitrary<number> = fc.oneof(
  fc.float(),
  fc.float({ min: -4, max: 4, noNaN: true }),
  fc.constantFrom(0, -0, 1, -1, 2, -0.5, Infinity, -Infinity, Number.NaN, f(1e-42))
)

/** The bits of numbers, all NaNs alike. */
export const bits = (values: ArrayLike<number>): Array<number> => {
  const numbers = Float32Array.from(values, (value) => (value !== value ? Number.NaN : value))
  return [...new Int32Array(numbers.buffer)]
}
