import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { Constant, Graph, Node, Port } from "../onnx/Graph.ts"
import { elements } from "../Tensor.ts"

/** Why a text cannot be one pass over vectors: the ONNX operator (or `Input`, `Output`, `Constant`) that stands in the way. */
export class CannotFuse extends Data.TaggedError("CannotFuse")<{
  readonly op: string
  readonly reason: string
}> {
  override get message(): string {
    return `not one pass over vectors: ${this.reason} (${this.op})`
  }
}

/** Operations on four elements at once; a mask has all bits of an element set, or none. */
export type Operation =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "min"
  | "max"
  | "sqrt"
  | "abs"
  | "neg"
  | "floor"
  | "eq"
  | "ne"
  | "lt"
  | "gt"
  | "le"
  | "ge"
  | "and"
  | "or"
  | "not"
  | "select"

/** One value of a program: read, known beforehand, or made from earlier ones (named by their places in the program). */
export type Step =
  | { readonly kind: "vector"; readonly name: string }
  | { readonly kind: "scalar"; readonly name: string }
  | { readonly kind: "constant"; readonly bits: number }
  | { readonly kind: "operation"; readonly operation: Operation; readonly inputs: ReadonlyArray<number> }

/** What a sweep does to each element: values in the order they are made, and which are written to which vectors. */
export interface Program {
  readonly steps: ReadonlyArray<Step>
  readonly outputs: ReadonlyArray<{ readonly vector: string; readonly value: number }>
}

/** A recorded text; `record` of the tracing backend makes one. */
export interface Recorded {
  readonly graph: Pick<Graph, "contents">
  readonly inputs: ReadonlyArray<Port>
  readonly outputs: ReadonlyArray<Port>
}

/** A value while it is translated. */
interface Value {
  readonly step: number
  readonly shape: ReadonlyArray<number>
  readonly type: "float32" | "bool"
}

const refuse = (op: string, reason: string): CannotFuse => new CannotFuse({ op, reason })

const unknown = "an input that is neither float32 nor a mask, or a constant of many values"

/** Operators that are one operation on numbers. */
const arithmetic: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["Add", "add"],
  ["Sub", "sub"],
  ["Mul", "mul"],
  ["Div", "div"],
  ["Min", "min"],
  ["Max", "max"],
  ["Sqrt", "sqrt"],
  ["Abs", "abs"],
  ["Neg", "neg"],
  ["Floor", "floor"]
])

const comparison: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["Equal", "eq"],
  ["Less", "lt"],
  ["LessOrEqual", "le"],
  ["Greater", "gt"],
  ["GreaterOrEqual", "ge"]
])

const logic: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["And", "and"],
  ["Or", "or"],
  ["Not", "not"]
])

/** The bits of a number as a float32. */
export const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0

const outer = (port: Port): string => port.name.replace(/^(?:in|out):/, "")

const isOne = (shape: ReadonlyArray<number>): boolean => elements(shape) === 1

/** The length of the vectors: the one size that is not 1, or 1 where there is no other. */
const lengthOf = (ports: ReadonlyArray<Port>): number => {
  const sizes = new Set(ports.map(({ spec }) => elements(spec.shape)).filter((size) => size !== 1))
  if (sizes.size > 1) throw refuse("Input", `vectors of ${[...sizes].join(" and ")} elements`)
  const [only = 1] = sizes
  return only
}

const broadcast = (op: string, shapes: ReadonlyArray<ReadonlyArray<number>>, length: number): ReadonlyArray<number> => {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  const sizes = Array.from({ length: rank }, (_, i) =>
    shapes.reduce((size, shape) => {
      const own = shape[i - rank + shape.length] ?? 1
      return own === 1 ? size : own
    }, 1)
  )
  const size = elements(sizes)
  const whole = shapes.every((shape) => isOne(shape) || elements(shape) === size)
  if (!whole || (size !== 1 && size !== length))
    throw refuse(
      op,
      `shapes ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")} are not met element by element`
    )
  return sizes
}

/** Values of a program under construction; equal ones are made once. */
const makeSteps = () => {
  const steps: Array<Step> = []
  const known = new Map<string, number>()
  const add = (step: Step): number => {
    const key = JSON.stringify(step)
    const found = known.get(key)
    if (found !== undefined) return found
    known.set(key, steps.length)
    return steps.push(step) - 1
  }
  return {
    steps,
    add,
    number: (value: number): number => add({ kind: "constant", bits: bitsOf(value) }),
    apply: (operation: Operation, ...inputs: ReadonlyArray<number>): number =>
      add({ kind: "operation", operation, inputs })
  }
}

const constantOf = ({ type, shape, values }: Constant, steps: ReturnType<typeof makeSteps>): Value | undefined => {
  if (type !== "float32" && type !== "bool") return undefined
  const numbers = Array.from(values, Number)
  const [first = 0] = numbers
  if (!numbers.every((value) => Object.is(value, first))) return undefined
  const step = type === "bool" ? steps.add({ kind: "constant", bits: first === 0 ? 0 : -1 }) : steps.number(first)
  return { step, shape, type }
}

/**
 * The program of a recorded text whose outputs are written to the vectors of their own paths, or of the names given.
 *
 * Results are those of the text evaluated operator by operator in float32. Inputs of one element among longer vectors are scalars; where
 * all have one element, those of rank 0 are. A text that is not elementwise, or has an operator without such an operation, is a `CannotFuse`.
 */
export const compile = (
  recorded: Recorded,
  vectorOf: (output: string) => string = (output) => output
): Result.Result<Program, CannotFuse> => {
  try {
    return Result.succeed(translate(recorded, vectorOf))
  } catch (cause) {
    if (cause instanceof CannotFuse) return Result.fail(cause)
    throw cause
  }
}

const translate = ({ graph, inputs, outputs }: Recorded, vectorOf: (output: string) => string): Program => {
  const { nodes, constants } = graph.contents()
  const length = lengthOf(inputs)
  const steps = makeSteps()
  const values = new Map<string, Value>()
  const kinds = new Map<string, "vector" | "scalar">()
  for (const port of inputs) {
    const { shape, dtype } = port.spec
    if (dtype !== "float32") throw refuse("Input", `${outer(port)} is ${dtype}; sweeps work on float32`)
    const kind = isOne(shape) && (length !== 1 || shape.length === 0) ? "scalar" : "vector"
    kinds.set(outer(port), kind)
    values.set(port.value, { step: steps.add({ kind, name: outer(port) }), shape, type: "float32" })
  }
  const shapes = new Map<string, ReadonlyArray<number>>()
  for (const constant of constants) {
    const value = constantOf(constant, steps)
    if (value !== undefined) values.set(constant.name, value)
    if (constant.type === "int64") shapes.set(constant.name, Array.from(constant.values, Number))
  }
  for (const node of neededOf(nodes, outputs)) {
    const [output = ""] = node.outputs
    values.set(output, valueOf(node, { values, shapes, length, steps }))
  }
  const written = outputs.map((port) => {
    const [vector, value] = [vectorOf(outer(port)), values.get(port.value)]
    if (value === undefined || value.type !== "float32") throw refuse("Output", `${outer(port)} is not float32`)
    if (elements(port.spec.shape) !== length) throw refuse("Output", `${outer(port)} is one number, not a vector`)
    if (kinds.get(vector) === "scalar") throw refuse("Output", `${outer(port)} is to be written to ${vector}, a scalar`)
    return { vector, value: value.step }
  })
  const twice = written.find(({ vector }, i) => written.findIndex((other) => other.vector === vector) < i)
  if (twice !== undefined) throw refuse("Output", `two outputs are to be written to ${twice.vector}`)
  return reachable({ steps: steps.steps, outputs: written })
}

/** The nodes that outputs are made of. */
const neededOf = (nodes: ReadonlyArray<Node>, outputs: ReadonlyArray<Port>): ReadonlyArray<Node> => {
  const names = new Set(outputs.map((port) => port.value))
  return nodes
    .toReversed()
    .filter((node) => {
      const needed = node.outputs.some((name) => names.has(name))
      if (needed) for (const name of node.inputs) names.add(name)
      return needed
    })
    .toReversed()
}

interface Context {
  readonly values: ReadonlyMap<string, Value>
  readonly shapes: ReadonlyMap<string, ReadonlyArray<number>>
  readonly length: number
  readonly steps: ReturnType<typeof makeSteps>
}

const valueOf = (node: Node, { values, shapes, length, steps }: Context): Value => {
  const { op } = node
  const all = (type: Value["type"], names: ReadonlyArray<string> = node.inputs): ReadonlyArray<Value> =>
    names.map((name) => {
      const value = values.get(name)
      if (value === undefined) throw refuse(op, unknown)
      if (value.type !== type) throw refuse(op, `an input of type ${value.type}, not ${type}`)
      return value
    })
  const made = (type: Value["type"], from: ReadonlyArray<Value>, step: number): Value => ({
    step,
    type,
    shape: broadcast(
      op,
      from.map((value) => value.shape),
      length
    )
  })
  const [float, bool] = [(): ReadonlyArray<Value> => all("float32"), (): ReadonlyArray<Value> => all("bool")]
  const { apply, number } = steps
  const places = (from: ReadonlyArray<Value>): ReadonlyArray<number> => from.map((value) => value.step)
  const of = (x: ReadonlyArray<Value>, i = 0): number => x[i]?.step ?? 0
  if (node.domain !== "" || node.outputs.length !== 1) throw refuse(op, "an operator that sweeps lack")

  const plain = arithmetic.get(op)
  if (plain !== undefined) return made("float32", float(), apply(plain, ...places(float())))
  const compared = comparison.get(op)
  if (compared !== undefined) return made("bool", float(), apply(compared, ...places(float())))
  const logical = logic.get(op)
  if (logical !== undefined) return made("bool", bool(), apply(logical, ...places(bool())))

  switch (op) {
    case "Sum": {
      const [first = 0, ...rest] = places(float())
      return made(
        "float32",
        float(),
        rest.reduce((sum, x) => apply("add", sum, x), first)
      )
    }
    case "Reciprocal":
      return made("float32", float(), apply("div", number(1), of(float())))
    case "Relu":
      return made("float32", float(), apply("max", of(float()), number(0)))
    case "Sign": {
      const [x, zero] = [of(float()), number(0)]
      const positive = apply("and", apply("gt", x, zero), number(1))
      return made("float32", float(), apply("or", positive, apply("and", apply("lt", x, zero), number(-1))))
    }
    case "Clip": {
      const [x, least, most] = [of(float(), 0), of(float(), 1), of(float(), 2)]
      if (float().length !== 3) throw refuse(op, "clipping without both bounds")
      const raised = apply("select", least, x, apply("lt", x, least))
      return made("float32", float(), apply("select", most, raised, apply("gt", x, most)))
    }
    case "Where": {
      const [condition = "", ...both] = node.inputs
      const [mask, branches] = [all("bool", [condition]), all("float32", both)]
      return made("float32", [...mask, ...branches], apply("select", ...places(branches), of(mask)))
    }
    case "Cast": {
      const to = node.attributes["to"]
      const target = to !== undefined && "int" in to ? to.int : 0
      const x = values.get(node.inputs[0] ?? "")
      if (x === undefined || (target !== 1 && target !== 9)) throw refuse(op, "a cast from or to integers")
      if (target === 1) return x.type === "float32" ? x : made("float32", [x], apply("and", x.step, number(1)))
      return x.type === "bool" ? x : made("bool", [x], apply("ne", x.step, number(0)))
    }
    case "Identity":
    case "Reshape":
    case "Expand":
    case "Tile": {
      const [name = "", by = ""] = node.inputs
      const [x, numbers] = [values.get(name), shapes.get(by)]
      if (x === undefined) throw refuse(op, unknown)
      if (op === "Identity") return x
      if (numbers === undefined) throw refuse(op, "a shape that is not known beforehand")
      const shape =
        op === "Reshape"
          ? numbers
          : op === "Expand"
            ? broadcast(op, [x.shape, numbers], length)
            : x.shape.map((size, i) => size * (numbers[i] ?? 1))
      if (!isOne(x.shape) && elements(shape) !== elements(x.shape)) throw refuse(op, "another number of elements")
      return { ...x, shape }
    }
    default:
      throw refuse(op, "an operator that sweeps lack")
  }
}

/** The program without what no output needs. */
const reachable = ({ steps, outputs }: Program): Program => {
  const needed = new Set(outputs.map(({ value }) => value))
  // a value is made from earlier ones
  for (let place = steps.length - 1; place >= 0; place--) {
    const step = steps[place]
    if (needed.has(place) && step?.kind === "operation") for (const input of step.inputs) needed.add(input)
  }
  const places = [...needed].sort((a, b) => a - b)
  const moved = new Map(places.map((place, i) => [place, i]))
  const to = (place: number): number => moved.get(place) ?? 0
  return {
    steps: places.flatMap((place): ReadonlyArray<Step> => {
      const step = steps[place]
      if (step === undefined) return []
      return [step.kind === "operation" ? { ...step, inputs: step.inputs.map(to) } : step]
    }),
    outputs: outputs.map(({ vector, value }) => ({ vector, value: to(value) }))
  }
}
