import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { Tensor, type TensorSpec, tf } from "homodistil/backend"
import "../../../src/backend/onnx/registry.ts"
import { record } from "../../../src/backend/onnx/TracingBackend.ts"
import * as Program from "../../../src/backend/sweep/Program.ts"

type Named<A> = { readonly [name: string]: A }
type Inputs = (name: string) => tf.Tensor

const compile = (
  specs: Named<TensorSpec>,
  text: (of: Inputs) => Named<tf.Tensor>,
  vectorOf?: (output: string) => string
): Result.Result<Program.Program, Program.CannotFuse> =>
  Program.compile(
    record(
      Object.entries(specs).map(([path, spec]) => ({ path, spec })),
      (tensors) => text((name) => tensors.get(name) ?? tf.scalar(0)),
      (results) => Object.entries(results)
    ),
    vectorOf
  )
const program = (...given: Parameters<typeof compile>): Program.Program => Result.getOrThrow(compile(...given))
const refused = (...given: Parameters<typeof compile>): string => {
  const result = compile(...given)
  return Result.isFailure(result) ? `${result.failure.op}: ${result.failure.message}` : "none"
}

const four = { x: Tensor.float(4) }

describe("a program", () => {
  it("holds what the outputs need, each value once, after those it is made of", () => {
    const made = program({ x: Tensor.float(4), idle: Tensor.float(4), rate: Tensor.float() }, (of) => {
      tf.exp(of("x"))
      const y = tf.mul(of("x"), tf.sub(1, of("rate")))
      return { x: tf.add(y, tf.mul(of("x"), tf.sub(1, of("rate")))), y }
    })
    assert.deepStrictEqual(made, {
      steps: [
        { kind: "vector", name: "x" },
        { kind: "scalar", name: "rate" },
        { kind: "constant", bits: Program.bitsOf(1) },
        { kind: "operation", operation: "sub", inputs: [2, 1] },
        { kind: "operation", operation: "mul", inputs: [0, 3] },
        { kind: "operation", operation: "add", inputs: [4, 4] }
      ],
      outputs: [
        { vector: "x", value: 5 },
        { vector: "y", value: 4 }
      ]
    })
  })

  it("counts an input of one element as a scalar among longer ones, and as a vector where all have one", () => {
    const kinds = (specs: Named<TensorSpec>) =>
      program(specs, (of) => ({ x: tf.add(of("x"), of("y")) })).steps.flatMap((step) =>
        step.kind === "vector" || step.kind === "scalar" ? [[step.name, step.kind]] : []
      )
    const kindsOf = (y: string) => [
      ["x", "vector"],
      ["y", y]
    ]
    assert.deepStrictEqual(kinds({ x: Tensor.float(4), y: Tensor.float(1) }), kindsOf("scalar"))
    assert.deepStrictEqual(kinds({ x: Tensor.float(1), y: Tensor.float(1) }), kindsOf("vector"))
    assert.deepStrictEqual(kinds({ x: Tensor.float(1), y: Tensor.float() }), kindsOf("scalar"))
    assert.deepStrictEqual(kinds({ x: Tensor.float(2, 3), y: Tensor.float(1, 1) }), kindsOf("scalar"))
  })

  it("sees through shapes that hold the elements in the same order", () => {
    const made = program({ x: Tensor.float(2, 3), y: Tensor.float(6) }, (of) => ({
      y: tf.add(tf.reshape(of("x"), [6]), of("y")),
      z: tf.mul(of("x"), tf.add(tf.reshape(of("y"), [2, 3]), tf.zeros([1, 2, 3])))
    }))
    assert.deepStrictEqual(
      made.steps.flatMap((step) => (step.kind === "operation" ? [step.operation] : [])),
      ["add", "add", "mul"]
    )
  })

  it("writes an output where it is told to", () => {
    const { outputs } = program(
      four,
      (of) => ({ next: tf.neg(of("x")) }),
      () => "x"
    )
    assert.deepStrictEqual(outputs, [{ vector: "x", value: 1 }])
  })
})

describe("a text that is not one pass is refused, with the operator:", () => {
  const cases: ReadonlyArray<readonly [string, Named<TensorSpec>, (of: Inputs) => Named<tf.Tensor>, RegExp]> = [
    ["a sum", four, (of) => ({ x: tf.mul(of("x"), tf.sum(of("x"))) }), /^ReduceSum: .*an operator that sweeps lack/],
    ["an exponential", four, (of) => ({ x: tf.exp(of("x")) }), /^Exp:/],
    ["a product of matrices", { x: Tensor.float(2, 2) }, (of) => ({ x: tf.matMul(of("x"), of("x")) }), /^Gemm:/],
    ["a transpose", { x: Tensor.float(2, 2) }, (of) => ({ x: tf.transpose(of("x")) }), /^Transpose:/],
    [
      "rows meeting columns",
      { x: Tensor.float(3, 1) },
      (of) => ({ x: tf.add(of("x"), tf.reshape(of("x"), [1, 3])) }),
      /^Add: .*shapes \[3, 1\] and \[1, 3\]/
    ],
    [
      "vectors of two lengths",
      { x: Tensor.float(4), y: Tensor.float(2) },
      (of) => ({ x: of("x"), y: of("y") }),
      /^Input: .*vectors of 4 and 2 elements/
    ],
    ["integers", { x: Tensor.int(4) }, (of) => ({ x: tf.cast(of("x"), "float32") }), /^Input: .*x is int32/],
    ["an output of integers", four, (of) => ({ x: tf.cast(of("x"), "int32") }), /^Cast: .*from or to integers/],
    ["a constant vector", four, (of) => ({ x: tf.add(of("x"), [1, 2, 3, 4]) }), /^Add: .*a constant of many values/],
    ["one number as output", { ...four, y: Tensor.float() }, (of) => ({ x: of("y") }), /^Output: .*x is one number/],
    [
      "a scalar written to",
      { ...four, y: Tensor.float() },
      (of) => ({ y: of("x") }),
      /^Output: .*written to y, a scalar/
    ]
  ]
  it.each(cases)("%s", (_, specs, text, message) => assert.match(refused(specs, text), message))

  it("two outputs in one place", () =>
    assert.match(
      refused(
        four,
        (of) => ({ x: of("x"), y: tf.neg(of("x")) }),
        () => "x"
      ),
      /^Output: .*two outputs are to be written to x/
    ))
})

describe("bitsOf", () => {
  it("are those of the float32 number", () =>
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const view = new DataView(new ArrayBuffer(4))
        view.setInt32(0, Program.bitsOf(value))
        assert.isTrue(Object.is(view.getFloat32(0), value))
      })
    ))
})
